package field

import "net/http"

// SetMinimal records in header that the server applied the preference in field.
func SetMinimal(header http.Header, field string) {
	header.Add("Vary", field)
	if field == "Prefer" {
		header.Set("Preference-Applied", "return=minimal")
	}
}
