package transport

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"mime"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"slices"
	"strconv"
)

// File is a file that a client sent with a mutation.
type File struct {
	// Token is the string that stands for the file in variables: one that nothing else can hold.
	Token string
	// Header describes the file: Content-Disposition with its name, and Content-Type.
	Header textproto.MIMEHeader
	// Size is its size in bytes.
	Size int64
	// Open opens it, once for each subgraph that takes it.
	Open func() (io.ReadCloser, error)
}

type filesKey struct{}

// WithFiles returns a context whose mutations carry files to the subgraphs that their variables go to. HTTP and Handler
// send such a mutation by the GraphQL multipart request specification
// (https://github.com/jaydenseric/graphql-multipart-request-spec).
func WithFiles(ctx context.Context, files []File) context.Context {
	return context.WithValue(ctx, filesKey{}, files)
}

// filesOf are the files that stand in the variables of a request.
func filesOf(ctx context.Context, req *Request) []File {
	if !req.Mutation {
		return nil
	}
	all, _ := ctx.Value(filesKey{}).([]File)
	var own []File
	for _, f := range all {
		if bytes.Contains(req.Variables, []byte(f.Token)) {
			own = append(own, f)
		}
	}
	return own
}

// form is the body of a request with files.
type form struct {
	io.Reader
	contentType string
	length      int64
	opened      []io.Closer
}

// newForm makes the body: operations, map, then the files, which are read only as they are sent.
func newForm(req *Request, files []File) (*form, error) {
	operations, places, err := takeOut(req.Body, files)
	if err != nil {
		return nil, err
	}
	f := &form{}
	var head bytes.Buffer
	w := multipart.NewWriter(&head)
	f.contentType = w.FormDataContentType()
	// A buffer takes everything, so that none of these can fail.
	_ = w.WriteField("operations", string(operations))
	_ = w.WriteField("map", string(places))
	var pieces []io.Reader
	add := func() {
		pieces = append(pieces, bytes.NewReader(bytes.Clone(head.Bytes())))
		f.length += int64(head.Len())
		head.Reset()
	}
	for i, file := range files {
		content, err := file.Open()
		if err != nil {
			f.Close()
			return nil, fmt.Errorf("open file %d: %w", i, err)
		}
		f.opened = append(f.opened, content)
		_, _ = w.CreatePart(partHeader(i, file.Header))
		add()
		pieces = append(pieces, io.LimitReader(content, file.Size))
		f.length += file.Size
	}
	_ = w.Close()
	add()
	f.Reader = io.MultiReader(pieces...)
	return f, nil
}

// partHeader is what describes a file to the subgraph: its name in the map instead of that which the client gave it.
func partHeader(i int, from textproto.MIMEHeader) textproto.MIMEHeader {
	header := maps.Clone(from)
	header.Set("Content-Disposition", multipart.FileContentDisposition(strconv.Itoa(i), fileName(from)))
	return header
}

// fileName is the name that the client gave a file; it says nothing about where it may be stored.
func fileName(header textproto.MIMEHeader) string {
	_, params, _ := mime.ParseMediaType(header.Get("Content-Disposition"))
	return params["filename"]
}

// takeOut replaces each token in the variables of a body by null, and returns the map that says where each file belongs.
func takeOut(body []byte, files []File) (operations, places []byte, err error) {
	var operation map[string]any
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	if err := d.Decode(&operation); err != nil {
		return nil, nil, fmt.Errorf("read the request for its files: %w", err)
	}
	found := map[string][]string{}
	var walk func(path string, value any) any
	walk = func(path string, value any) any {
		switch value := value.(type) {
		case string:
			if i := slices.IndexFunc(files, func(f File) bool { return f.Token == value }); i >= 0 {
				found[strconv.Itoa(i)] = append(found[strconv.Itoa(i)], path)
				return nil
			}
		case []any:
			for i, element := range value {
				value[i] = walk(path+"."+strconv.Itoa(i), element)
			}
		case map[string]any:
			for _, name := range slices.Sorted(maps.Keys(value)) {
				value[name] = walk(path+"."+name, value[name])
			}
		}
		return value
	}
	operation["variables"] = walk("variables", operation["variables"])
	if operations, err = json.Marshal(operation); err == nil {
		places, err = json.Marshal(found)
	}
	return operations, places, err
}

// Close closes the files.
func (f *form) Close() error {
	for _, c := range f.opened {
		_ = c.Close() // it was only read
	}
	return nil
}

// carry makes r a request with the form as its body.
func (f *form) carry(r *http.Request) {
	r.Header = maps.Clone(r.Header)
	r.Header.Set("Content-Type", f.contentType)
	// Subgraphs that prevent cross-site request forgery ask for a header that no HTML form can send.
	r.Header.Set("GraphQL-Require-Preflight", "1")
	r.Header.Set("Apollo-Require-Preflight", "1")
	r.Body, r.ContentLength, r.GetBody = f, f.length, nil
}
