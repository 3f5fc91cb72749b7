import java.sql.Connection;
import java.sql.DatabaseMetaData;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.ResultSetMetaData;
import java.util.StringJoiner;

/** All that JDBC's DatabaseMetaData tells of a schema, a line a row: java -cp driver.jar Metadata.java URL SCHEMA TABLE. */
public class Metadata {
    public static void main(String[] given) throws Exception {
        String schema = given[1], table = given[2];
        try (Connection connection = DriverManager.getConnection(given[0])) {
            DatabaseMetaData told = connection.getMetaData();
            System.out.println("product " + told.getDatabaseProductName());
            System.out.println("catalog " + connection.getCatalog() + " schema " + connection.getSchema());
            print("catalogs", told.getCatalogs());
            print("schemas", told.getSchemas());
            print("schemas like", told.getSchemas(null, schema));
            print("table types", told.getTableTypes());
            print("tables", told.getTables(null, schema, "%", new String[] {"TABLE", "VIEW"}));
            print("all tables", told.getTables(null, schema, table, null));
            print("columns", told.getColumns(null, schema, "%", "%"));
            print("primary keys", told.getPrimaryKeys(null, schema, table));
            print("indexes", told.getIndexInfo(null, schema, table, false, true));
            print("best row", told.getBestRowIdentifier(null, schema, table, DatabaseMetaData.bestRowSession, true));
            print("imported keys", told.getImportedKeys(null, schema, table));
            print("exported keys", told.getExportedKeys(null, schema, table));
            print("privileges", told.getTablePrivileges(null, schema, table));
            print("column privileges", told.getColumnPrivileges(null, schema, table, "%"));
            print("types", told.getTypeInfo());
            print("user types", told.getUDTs(null, schema, "%", null));
            print("procedures", told.getProcedures(null, schema, "%"));
            print("functions", told.getFunctions(null, schema, "%"));
            print("function columns", told.getFunctionColumns(null, schema, "%", "%"));
            print("client info", told.getClientInfoProperties());
            System.out.println("name " + told.getMaxColumnNameLength() + " keys " + told.getMaxColumnsInIndex());
        }
    }

    private static void print(String what, ResultSet rows) throws Exception {
        ResultSetMetaData columns = rows.getMetaData();
        while (rows.next()) {
            StringJoiner line = new StringJoiner(" | ");
            line.add(what);
            for (int i = 1; i <= columns.getColumnCount(); i++) {
                line.add(columns.getColumnLabel(i) + "=" + rows.getString(i));
            }
            System.out.println(line);
        }
        rows.close();
    }
}
