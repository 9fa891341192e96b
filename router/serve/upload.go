package serve

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"strconv"
	"strings"
)

// Uploads lets mutations bring files, by the GraphQL multipart request specification
// (https://github.com/jaydenseric/graphql-multipart-request-spec). An HTML form can send such a request without a CORS
// preflight, so it needs one of the headers that no form can send, such as GraphQL-Require-Preflight.
type Uploads struct {
	// Enabled takes files. Off by default: the router waits for the whole files before it asks a subgraph.
	Enabled bool `yaml:"enabled"`
	// MaxFiles is how many files a request may bring. Zero means 10.
	MaxFiles int `yaml:"max_files" min:"0" max:"1000"`
	// MaxFileBytes is the largest file. Zero means 50 MiB.
	MaxFileBytes int64 `yaml:"max_file_bytes" min:"0" max:"1099511627776"`
	// MaxBytes is the largest request, all files and the operation taken together. Zero means 50 MiB. Beyond 1 MiB files
	// wait in the system's folder for temporary files.
	MaxBytes int64 `yaml:"max_bytes" min:"0" max:"1099511627776"`
}

// File is a file that came with a mutation.
type File struct {
	// Token is what stands for the file in Request.Variables, as a string.
	Token string
	// Header describes the file as the client did: Content-Disposition, with its name, and Content-Type.
	Header textproto.MIMEHeader
	// Size is its size in bytes.
	Size int64
	// Open opens it, as often as one likes, until Execute returns.
	Open func() (io.ReadCloser, error)
}

// uploadMemory is how much of a request's files is kept in memory.
const uploadMemory = 1 << 20

// isForm says whether a body is multipart/form-data.
func isForm(header http.Header) bool {
	name, _ := cutQuoted(header.Get("Content-Type"), ';')
	return strings.EqualFold(strings.TrimSpace(name), "multipart/form-data")
}

// admitForm refuses requests with files where they are not taken, or may be forged.
func (h *Handler) admitForm(header http.Header) *refusal {
	switch {
	case !h.cfg.Uploads.Enabled:
		return &refusal{
			http.StatusUnsupportedMediaType, CodeUnsupportedMediaType,
			"file uploads are not enabled: expected the header Content-Type: application/json, in UTF-8",
		}
	case !h.cfg.CSRF.Disabled && !preflighted(header):
		return &refusal{
			http.StatusForbidden, CodeCSRF,
			"refused to prevent cross-site request forgery: a request with files needs the header GraphQL-Require-Preflight",
		}
	case len(header["Content-Encoding"]) > 0:
		return &refusal{http.StatusUnsupportedMediaType, CodeUnsupportedMediaType, "a request with files can't have a Content-Encoding"}
	}
	return nil
}

// decodeForm reads a request with files.
func (ex *exchange) decodeForm() *refusal {
	settings := &ex.h.cfg.Uploads
	if ex.r.ContentLength > settings.MaxBytes {
		return tooLarge(settings.MaxBytes)
	}
	ex.r.Body = http.MaxBytesReader(ex.w, ex.r.Body, settings.MaxBytes)
	reader, err := ex.r.MultipartReader()
	if err != nil {
		return badRequest("the request body is no multipart/form-data: " + err.Error())
	}
	if ex.form, err = reader.ReadForm(uploadMemory); err != nil {
		return formError(err, settings.MaxBytes)
	}
	operations, places := ex.form.Value["operations"], ex.form.Value["map"]
	if len(operations) != 1 || len(places) != 1 {
		return badRequest("a request with files has to have the fields operations and map, once each")
	}
	if len(operations[0]) > int(ex.h.cfg.HTTP.MaxBodyBytes) {
		return tooLarge(ex.h.cfg.HTTP.MaxBodyBytes)
	}
	batch, refused := decodeBody([]byte(operations[0]), &ex.req)
	if refused != nil {
		return refused
	}
	if batch != nil {
		return badRequest("files can't come with a batch: send one operation, as a JSON object")
	}
	return ex.placeFiles([]byte(places[0]))
}

func formError(err error, limit int64) *refusal {
	if errors.Is(err, multipart.ErrMessageTooLarge) {
		return tooLarge(limit)
	}
	var over *http.MaxBytesError
	refused := readError(err, limit)
	if refused != nil && (errors.As(err, &over) || refused.status == http.StatusRequestTimeout) {
		return refused
	}
	return badRequest("the request body is no multipart/form-data, or ended early")
}

// placeFiles puts the token of each file where the map says that it belongs.
func (ex *exchange) placeFiles(places []byte) *refusal {
	settings := &ex.h.cfg.Uploads
	var paths map[string][]string
	if err := json.Unmarshal(places, &paths); err != nil {
		return badRequest("the field map is no JSON object of lists of paths: " + err.Error())
	}
	if len(paths) > settings.MaxFiles {
		return &refusal{http.StatusRequestEntityTooLarge, CodePayloadTooLarge, "more than " + strconv.Itoa(settings.MaxFiles) + " files in one request"}
	}
	var variables any
	d := json.NewDecoder(bytes.NewReader(ex.req.Variables))
	d.UseNumber()
	if err := d.Decode(&variables); err != nil {
		return badRequest("a request with files needs variables for them")
	}
	for name, list := range paths {
		given := ex.form.File[name]
		switch {
		case len(given) != 1:
			return badRequest(fmt.Sprintf("the map names the file %q, which came %d times", name, len(given)))
		case given[0].Size > settings.MaxFileBytes:
			return &refusal{
				http.StatusRequestEntityTooLarge, CodePayloadTooLarge,
				fmt.Sprintf("the file %q is larger than %d bytes", name, settings.MaxFileBytes),
			}
		}
		file := File{
			Token: "file:" + rand.Text(), Header: given[0].Header, Size: given[0].Size,
			Open: func() (io.ReadCloser, error) { return given[0].Open() },
		}
		for _, path := range list {
			rest, ok := strings.CutPrefix(path, "variables.")
			if !ok || !place(variables, strings.Split(rest, "."), file.Token) {
				return badRequest(fmt.Sprintf("the map's path %q leads to no null in the variables", path))
			}
		}
		ex.req.Files = append(ex.req.Files, file)
	}
	written, err := json.Marshal(variables)
	if err != nil {
		return badRequest("the variables can't be read: " + err.Error())
	}
	ex.req.Variables = written
	return nil
}

// place replaces the null at a path.
func place(in any, path []string, token string) bool {
	last := len(path) == 1
	switch in := in.(type) {
	case map[string]any:
		value, ok := in[path[0]]
		switch {
		case !ok || last && value != nil:
			return false
		case !last:
			return place(value, path[1:], token)
		}
		in[path[0]] = token
		return true
	case []any:
		i, err := strconv.Atoi(path[0])
		switch {
		case err != nil || i < 0 || i >= len(in) || last && in[i] != nil:
			return false
		case !last:
			return place(in[i], path[1:], token)
		}
		in[i] = token
		return true
	}
	return false
}
