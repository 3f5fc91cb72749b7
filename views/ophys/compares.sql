-- whether a value meets an operator of the Brain Observatory's filters: <, >, <=, >=, =, is, in, between
-- spec: api C-BO5
-- function: ophys.compares(value, operator, wanted)
--   value      a number or a text; NULL meets nothing
--   operator   one of the eight
--   wanted     list of values of the same type: two for between, any number for in, otherwise one
coalesce(
    case operator
        when '=' then value = wanted[1]
        when 'is' then value = wanted[1]
        when '<' then value < wanted[1]
        when '>' then value > wanted[1]
        when '<=' then value <= wanted[1]
        when '>=' then value >= wanted[1]
        when 'between' then value >= wanted[1] and value <= wanted[2]
        when 'in' then list_contains(wanted, value)
    end,
    false
)
