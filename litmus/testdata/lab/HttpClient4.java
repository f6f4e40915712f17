import org.apache.http.client.config.RequestConfig;
import org.apache.http.client.methods.RequestBuilder;
import org.apache.http.impl.client.HttpClients;
import org.apache.http.util.EntityUtils;

/** The steps of the lab with Apache HttpClient 4, in one client. */
class HttpClient4 {
    public static void main(String[] args) throws Exception {
        var config = RequestConfig.custom().setSocketTimeout(Steps.timeout(args)).build();
        try (var client = HttpClients.custom().disableAutomaticRetries().build()) {
            Steps.run(args, (method, url, headers) -> {
                var request = RequestBuilder.create(method).setUri(url).setConfig(config);
                for (int i = 0; i < headers.size(); i += 2) {
                    request.setHeader(headers.get(i), headers.get(i + 1));
                }
                try (var response = client.execute(request.build())) {
                    var body = response.getEntity();
                    return new Steps.Answer(response.getStatusLine().getStatusCode(), body == null ? "" : EntityUtils.toString(body));
                }
            });
        }
    }
}
