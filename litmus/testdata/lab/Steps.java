import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;

/** The common code of the lab's Java programs: the steps, and the lines for their results. */
class Steps {
    static final Map<String, List<String>> STEPS = Map.of(
        "COPY", List.of("/src", "Destination", "/copied"),
        "GET", List.of("/src/file%20007.txt"),
        "PROPFIND", List.of("/list", "Depth", "1"),
        "MOVE", List.of("/moving", "Destination", "/other/moved"),
        "DELETE", List.of("/deleting"));

    record Answer(int status, String body) {}

    /** Sends a request. The header fields are names and values in turn. */
    interface Sender {
        Answer send(String method, String url, List<String> headers) throws Exception;
    }

    /** Returns the time-out of the program's arguments in milliseconds. 0 means none. */
    static int timeout(String[] args) {
        return (int) (Double.parseDouble(args[1]) * 1000);
    }

    /** Prints a line for each step. */
    static void run(String[] args, Sender sender) {
        for (String name : Arrays.asList(args).subList(3, args.length)) {
            List<String> step = STEPS.get(name);
            var headers = new ArrayList<>(step.subList(1, step.size()));
            if (!args[2].isEmpty()) {
                headers.addAll(List.of("Prefer", "processing"));
            }
            try {
                Answer answer = sender.send(name, args[0] + step.get(0), headers);
                System.out.println((name + " " + answer.status() + " " + told(name, answer.body())).trim());
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
