import org.apache.hc.client5.http.classic.methods.HttpUriRequestBase;
import org.apache.hc.client5.http.config.RequestConfig;
import org.apache.hc.client5.http.impl.classic.HttpClients;
import org.apache.hc.core5.http.io.entity.EntityUtils;
import org.apache.hc.core5.util.Timeout;

import java.net.URI;

/** The steps of the lab with Apache HttpClient 5, in one client. */
class HttpClient5 {
    public static void main(String[] args) throws Exception {
        var config = RequestConfig.custom().setResponseTimeout(Timeout.ofMilliseconds(Steps.timeout(args))).build();
        try (var client = HttpClients.custom().disableAutomaticRetries().build()) {
            Steps.run(args, (method, url, headers) -> {
                var request = new HttpUriRequestBase(method, URI.create(url));
                request.setConfig(config);
                for (int i = 0; i < headers.size(); i += 2) {
                    request.setHeader(headers.get(i), headers.get(i + 1));
                }
                try (var response = client.execute(request)) {
                    var body = response.getEntity();
                    return new Steps.Answer(response.getCode(), body == null ? "" : EntityUtils.toString(body));
                }
            });
        }
    }
}
