"""The Atlas API answered from the lake: queries of its language over the lake's own relations (spec: api 4.3).

``models`` says which relation tells of which model; ``tree`` resolves a query against them; ``translate`` makes it SQL;
``answers`` runs it; ``formats`` writes what came as the API does.
"""
