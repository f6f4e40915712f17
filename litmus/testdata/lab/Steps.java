import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;

/** The steps of the lab with java.net.http. */
class Steps {
    static final Map<String, List<String>> STEPS = Map.of(
        "COPY", List.of("/src", "Destination", "/copied"),
        "GET", List.of("/src/file%20007.txt"),
        "PROPFIND", List.of("/list", "Depth", "1"),
        "MOVE", List.of("/moving", "Destination", "/other/moved"),
        "DELETE", List.of("/deleting"));

    public static void main(String[] args) {
        double timeout = Double.parseDouble(args[1]);
        var client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
        for (String name : Arrays.asList(args).subList(3, args.length)) {
            List<String> step = STEPS.get(name);
            var request = HttpRequest.newBuilder(URI.create(args[0] + step.get(0)))
                .method(name, HttpRequest.BodyPublishers.noBody());
            if (step.size() > 1) {
                request.header(step.get(1), step.get(2));
            }
            if (!args[2].isEmpty()) {
                request.header("Prefer", "processing");
            }
            if (timeout > 0) {
                request.timeout(Duration.ofMillis((long) (timeout * 1000)));
            }
            try {
                var response = client.send(request.build(), HttpResponse.BodyHandlers.ofString());
                System.out.println((name + " " + response.statusCode() + " " + told(name, response.body())).trim());
            } catch (Exception error) {
                System.out.println(name + " " + error.getClass().getSimpleName() + " " + error.getMessage());
            }
        }
    }

    static String told(String name, String body) {
        return switch (name) {
            case "GET" -> body.trim();
            case "PROPFIND" -> "" + Pattern.compile("<(\\w+:)?response[ >]").matcher(body).results().count();
            default -> "";
        };
    }
}
