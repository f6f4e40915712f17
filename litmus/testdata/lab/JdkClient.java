import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;

/** The steps of the lab with java.net.http. */
class JdkClient {
    public static void main(String[] args) {
        int timeout = Steps.timeout(args);
        var client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
        Steps.run(args, (method, url, headers) -> {
            var request = HttpRequest.newBuilder(URI.create(url)).method(method, HttpRequest.BodyPublishers.noBody());
            if (!headers.isEmpty()) {
                request.headers(headers.toArray(new String[0]));
            }
            if (timeout > 0) {
                request.timeout(Duration.ofMillis(timeout));
            }
            var response = client.send(request.build(), HttpResponse.BodyHandlers.ofString());
            return new Steps.Answer(response.statusCode(), response.body());
        });
    }
}
