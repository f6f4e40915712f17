// Package browser has what the pages for a browser need: labels, sizes and content types, and
// headers that isolate content from other sites.
package browser

import (
	"context"
	"io/fs"
	"mime"
	"path"
	"strings"

	"golang.org/x/net/webdav"
)

// UnknownType is the content type of a file whose type is unknown (RFC 2046 §4.5.1).
const UnknownType = "application/octet-stream"

// ContentType returns the content type of the file name that info describes, or "" if
// it is unknown. It opens no file; only a GET looks into the content.
func ContentType(ctx context.Context, name string, info fs.FileInfo) string {
	if typer, ok := info.(webdav.ContentTyper); ok {
		if found, err := typer.ContentType(ctx); err == nil && found != "" {
			return found
		}
	}
	return TypeOf(name)
}

// TypeOf returns the content type of a file by its name alone, or "" if it is unknown.
func TypeOf(name string) string {
	extension := strings.ToLower(path.Ext(name))
	if found, known := contentTypes[extension]; known {
		return found
	}
	return mime.TypeByExtension(extension)
}

// contentTypes is a table that is the same on every machine. Package mime, in contrast,
// reads the types that are installed there, and on Windows the registry, which any
// program can change.
var contentTypes = map[string]string{
	".7z":    "application/x-7z-compressed",
	".aac":   "audio/aac",
	".avi":   "video/x-msvideo",
	".avif":  "image/avif",
	".bmp":   "image/bmp",
	".bz2":   "application/x-bzip2",
	".c":     "text/x-c; charset=utf-8",
	".css":   "text/css; charset=utf-8",
	".csv":   "text/csv; charset=utf-8",
	".doc":   "application/msword",
	".docx":  "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
	".eml":   "message/rfc822",
	".epub":  "application/epub+zip",
	".flac":  "audio/flac",
	".gif":   "image/gif",
	".go":    "text/x-go; charset=utf-8",
	".gz":    "application/gzip",
	".heic":  "image/heic",
	".htm":   "text/html; charset=utf-8",
	".html":  "text/html; charset=utf-8",
	".ics":   "text/calendar; charset=utf-8",
	".ini":   "text/plain; charset=utf-8",
	".jpeg":  "image/jpeg",
	".jpg":   "image/jpeg",
	".js":    "text/javascript; charset=utf-8",
	".json":  "application/json",
	".jxl":   "image/jxl",
	".log":   "text/plain; charset=utf-8",
	".m4a":   "audio/mp4",
	".m4v":   "video/mp4",
	".md":    "text/markdown; charset=utf-8",
	".mjs":   "text/javascript; charset=utf-8",
	".mkv":   "video/matroska",
	".mov":   "video/quicktime",
	".mp3":   "audio/mpeg",
	".mp4":   "video/mp4",
	".mpeg":  "video/mpeg",
	".odp":   "application/vnd.oasis.opendocument.presentation",
	".ods":   "application/vnd.oasis.opendocument.spreadsheet",
	".odt":   "application/vnd.oasis.opendocument.text",
	".ogg":   "audio/ogg",
	".ogv":   "video/ogg",
	".opus":  "audio/ogg",
	".pdf":   "application/pdf",
	".png":   "image/png",
	".ppt":   "application/vnd.ms-powerpoint",
	".pptx":  "application/vnd.openxmlformats-officedocument.presentationml.presentation",
	".py":    "text/x-python; charset=utf-8",
	".rtf":   "application/rtf",
	".svg":   "image/svg+xml",
	".tar":   "application/x-tar",
	".tif":   "image/tiff",
	".tiff":  "image/tiff",
	".toml":  "application/toml",
	".txt":   "text/plain; charset=utf-8",
	".vcf":   "text/vcard; charset=utf-8",
	".wasm":  "application/wasm",
	".wav":   "audio/wav",
	".webm":  "video/webm",
	".webp":  "image/webp",
	".woff":  "font/woff",
	".woff2": "font/woff2",
	".xhtml": "application/xhtml+xml",
	".xls":   "application/vnd.ms-excel",
	".xlsx":  "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
	".xml":   "text/xml; charset=utf-8",
	".xz":    "application/x-xz",
	".yaml":  "application/yaml",
	".yml":   "application/yaml",
	".zip":   "application/zip",
	".zst":   "application/zstd",
}
