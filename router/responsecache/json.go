package responsecache

// What follows reads JSON that is known to be valid: the router's own requests, and answers that were checked. It finds
// where values end without decoding them.

// space skips white space.
func space(b []byte, i int) int {
	for i < len(b) && (b[i] == ' ' || b[i] == '\n' || b[i] == '\t' || b[i] == '\r') {
		i++
	}
	return i
}

// skip is the end of the value that begins at i.
func skip(b []byte, i int) int {
	switch depth := 0; b[i] {
	case '"':
		return skipString(b, i)
	case '{', '[':
		for ; i < len(b); i++ {
			switch b[i] {
			case '"':
				i = skipString(b, i) - 1
			case '{', '[':
				depth++
			case '}', ']':
				if depth--; depth == 0 {
					return i + 1
				}
			}
		}
		return i
	}
	for i < len(b) && b[i] != ',' && b[i] != '}' && b[i] != ']' && b[i] > ' ' {
		i++
	}
	return i
}

func skipString(b []byte, i int) int {
	for i++; i < len(b) && b[i] != '"'; i++ {
		if b[i] == '\\' {
			i++
		}
	}
	return min(i+1, len(b))
}

// members yields the names, without quotes and not unescaped, and the values of an object.
func members(b []byte) func(yield func(name string, value []byte) bool) {
	return func(yield func(string, []byte) bool) {
		i := space(b, 0)
		if i >= len(b) || b[i] != '{' {
			return
		}
		for i = space(b, i+1); i < len(b) && b[i] == '"'; i = space(b, i+1) {
			end := skipString(b, i)
			name := string(b[i+1 : end-1])
			i = space(b, space(b, end)+1) // behind the colon
			end = skip(b, i)
			if !yield(name, b[i:end]) {
				return
			}
			if i = space(b, end); i >= len(b) || b[i] != ',' {
				return
			}
		}
	}
}

// elements are those of a list; ok is false if it is none.
func elements(b []byte) (list [][]byte, ok bool) {
	i := space(b, 0)
	if i >= len(b) || b[i] != '[' {
		return nil, false
	}
	for i = space(b, i+1); i < len(b) && b[i] != ']'; i = space(b, i+1) {
		end := skip(b, i)
		list = append(list, b[i:end])
		if i = space(b, end); i >= len(b) || b[i] != ',' {
			break
		}
	}
	return list, true
}

// member is the value of a name; nil if there is none.
func member(b []byte, name string) []byte {
	for n, value := range members(b) {
		if n == name {
			return value
		}
	}
	return nil
}
