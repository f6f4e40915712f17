// The steps of the lab with .NET's HttpClient, on one connection.
using System;
using System.Collections.Generic;
using System.Linq;
using System.Net.Http;
using System.Text.RegularExpressions;

static class Steps
{
    static readonly Dictionary<string, string[]> All = new Dictionary<string, string[]> {
        { "COPY", new[] { "/src", "Destination", "/copied" } },
        { "GET", new[] { "/src/file%20007.txt" } },
        { "PROPFIND", new[] { "/list", "Depth", "1" } },
        { "MOVE", new[] { "/moving", "Destination", "/other/moved" } },
        { "DELETE", new[] { "/deleting" } },
    };

    static void Main(string[] args)
    {
        var client = new HttpClient(new HttpClientHandler { UseProxy = false });
        double timeout = double.Parse(args[1], System.Globalization.CultureInfo.InvariantCulture);
        if (timeout > 0) client.Timeout = TimeSpan.FromSeconds(timeout);
        foreach (string name in args.Skip(3)) {
            string[] step = All[name];
            var request = new HttpRequestMessage(new HttpMethod(name), args[0] + step[0]);
            if (step.Length > 1) request.Headers.Add(step[1], step[2]);
            if (args[2] != "") request.Headers.Add("Prefer", "processing");
            try {
                var response = client.SendAsync(request).GetAwaiter().GetResult();
                string body = response.Content.ReadAsStringAsync().GetAwaiter().GetResult();
                Console.WriteLine((name + " " + (int)response.StatusCode + " " + Told(name, body)).Trim());
            } catch (Exception error) {
                Console.WriteLine(name + " " + error.GetType().Name + " " + error.Message);
            }
        }
    }

    static string Told(string name, string body)
    {
        if (name == "GET") return body.Trim();
        if (name == "PROPFIND") return Regex.Matches(body, @"<(\w+:)?response[ >]").Count.ToString();
        return "";
    }
}
