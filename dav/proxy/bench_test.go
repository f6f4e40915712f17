package proxy_test

import (
	"net/http"
	"testing"
)

// BenchmarkSmall measures a GET and a PUT of 1 KiB through the proxy, one after the other.
func BenchmarkSmall(b *testing.B) {
	content := make([]byte, 1024)
	f := serve(b, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			_, _ = w.Write(content)
		}
	}), nil)
	client := f.server.Client()
	for _, method := range []string{"GET", "PUT"} {
		b.Run(method, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				r, err := http.NewRequestWithContext(b.Context(), method, f.server.URL+"/dav/a", http.NoBody)
				if err != nil {
					b.Fatal(err)
				}
				response, err := client.Do(r)
				if err != nil {
					b.Fatal(err)
				}
				response.Body.Close()
			}
		})
	}
}
