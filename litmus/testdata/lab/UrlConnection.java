import java.net.HttpURLConnection;
import java.net.Proxy;
import java.net.URL;

/** The steps of the lab with HttpURLConnection. */
class UrlConnection {
    public static void main(String[] args) throws Exception {
        // The class only accepts the methods of HTTP/1.1. Programs that need others set its field,
        // which takes --add-opens java.base/java.net=ALL-UNNAMED.
        var methodField = HttpURLConnection.class.getDeclaredField("method");
        methodField.setAccessible(true);
        Steps.run(args, (method, url, headers) -> {
            var connection = (HttpURLConnection) new URL(url).openConnection(Proxy.NO_PROXY);
            methodField.set(connection, method);
            for (int i = 0; i < headers.size(); i += 2) {
                connection.setRequestProperty(headers.get(i), headers.get(i + 1));
            }
            connection.setReadTimeout(Steps.timeout(args));
            int status = connection.getResponseCode();
            try (var body = status < 400 ? connection.getInputStream() : connection.getErrorStream()) {
                return new Steps.Answer(status, body == null ? "" : new String(body.readAllBytes()));
            }
        });
    }
}
