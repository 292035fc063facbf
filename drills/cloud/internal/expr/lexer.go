package expr

import "strings"

// token is one lexical unit. Its text identifies it: words, placeholders,
// digits and punctuation never share a first character.
type token struct {
	text string
	pos  int // byte offset in the source
}

// end is the token after the last one.
const end = "<EOF>"

func wordChar(c byte) bool {
	return c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

func digit(c byte) bool { return c >= '0' && c <= '9' }

// word reports whether a token is a word, that is a keyword, a function or
// an attribute name.
func (t token) word() bool {
	c := t.text[0]
	return c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

// is compares a keyword: they are not case-sensitive.
func (t token) is(keyword string) bool { return strings.EqualFold(t.text, keyword) }

func lex(src string) ([]token, error) {
	tokens := make([]token, 0, 16)
	for i := 0; i < len(src); {
		c := src[i]
		n := 1
		switch {
		case c == ' ' || c == '\t' || c == '\n' || c == '\r':
			i++
			continue
		case wordChar(c), c == '#', c == ':':
			for i+n < len(src) && wordChar(src[i+n]) {
				n++
			}
			if n == 1 && (c == '#' || c == ':') {
				return nil, syntax(src, token{text: string(c), pos: i})
			}
		case c == '<' && i+1 < len(src) && (src[i+1] == '>' || src[i+1] == '='),
			c == '>' && i+1 < len(src) && src[i+1] == '=':
			n = 2
		case strings.IndexByte("()[].,=<>+-", c) >= 0:
		default:
			return nil, syntax(src, token{text: string(rune(c)), pos: i})
		}
		tokens = append(tokens, token{text: src[i : i+n], pos: i})
		i += n
	}
	return append(tokens, token{text: end, pos: len(src)}), nil
}

// syntax writes the message that DynamoDB writes: the offending token and its
// surroundings.
func syntax(src string, t token) error {
	lo, hi := max(0, t.pos-8), min(len(src), t.pos+len(t.text)+8)
	return refuse(`Syntax error; token: "%s", near: "%s"`, t.text, src[lo:hi])
}
