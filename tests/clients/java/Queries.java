import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.ResultSetMetaData;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Properties;
import java.util.StringJoiner;

/** What an application does over JDBC, a line a result: java -cp driver.jar Queries.java URL USER PASSWORD. */
public class Queries {
    public static void main(String[] given) throws Exception {
        Properties how = new Properties();
        how.setProperty("user", given[1]);
        how.setProperty("password", given[2]);
        try (Connection connection = DriverManager.getConnection(given[0], how)) {
            try (Statement statement = connection.createStatement();
                    ResultSet rows = statement.executeQuery(
                            "select value_id, i16, i32, i64, f32, f64, flag, label, blob, moment, counts"
                                    + " from lab.values order by value_id")) {
                ResultSetMetaData columns = rows.getMetaData();
                StringJoiner types = new StringJoiner(" ");
                for (int i = 1; i <= columns.getColumnCount(); i++) {
                    types.add(columns.getColumnName(i) + ":" + columns.getColumnTypeName(i));
                }
                System.out.println("types " + types);
                while (rows.next()) {
                    byte[] blob = rows.getBytes("blob");
                    Object counts = rows.getArray("counts") == null ? null : rows.getArray("counts").getArray();
                    System.out.println("row " + rows.getLong("value_id") + " " + rows.getObject("i64") + " "
                            + rows.getObject("f64") + " " + rows.getObject("flag") + " " + rows.getObject("moment") + " "
                            + (blob == null ? null : blob.length) + " "
                            + (counts == null ? null : java.util.Arrays.toString((Object[]) counts)) + " "
                            + (rows.getString("label") == null ? null : rows.getString("label").length()));
                }
            }
            try (PreparedStatement prepared = connection.prepareStatement(
                    "select half, name from lab.many where n = ? and name <> ? and half >= ?")) {
                for (int n = 0; n < 20; n++) { // from the fifth on it is a named statement, with binary results
                    prepared.setLong(1, n);
                    prepared.setString(2, "it's not");
                    prepared.setDouble(3, 0.0);
                    try (ResultSet rows = prepared.executeQuery()) {
                        rows.next();
                        System.out.println("prepared " + rows.getDouble(1) + " " + rows.getString(2));
                    }
                }
            }
            connection.setAutoCommit(false);
            try (Statement statement = connection.createStatement()) {
                statement.setFetchSize(1000);
                long sum = 0;
                try (ResultSet rows = statement.executeQuery("select n from lab.many")) {
                    while (rows.next()) {
                        sum += rows.getLong(1);
                    }
                }
                System.out.println("fetched " + sum);
            }
            connection.commit();
            connection.setAutoCommit(true);
            connection.setReadOnly(true);
            try (Statement statement = connection.createStatement()) {
                statement.setMaxRows(7);
                int n = 0;
                try (ResultSet rows = statement.executeQuery("select n from lab.many")) {
                    while (rows.next()) {
                        n++;
                    }
                }
                System.out.println("at most " + n);
            }
            for (String wrong : new String[] {"select * from lab.manny", "select nn from lab.many", "drop table lab.many"}) {
                try (Statement statement = connection.createStatement()) {
                    statement.execute(wrong);
                    System.out.println("error none");
                } catch (SQLException error) {
                    System.out.println("error " + error.getSQLState());
                }
            }
        }
    }
}
