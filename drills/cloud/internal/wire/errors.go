package wire

import (
	"fmt"

	"github.com/aws/smithy-go/encoding/cbor"
)

// Error is a refusal as AWS would send it.
type Error struct {
	Status  int    // HTTP status
	Code    string // as the protocol carries it, without a namespace
	Message string
	// Shape is the modeled name when it differs from Code. The query protocol
	// knows codes only; CBOR carries the shape, and the code in a header.
	Shape string
	// Members are further members of a JSON error, already encoded, such as
	// `"Item":{...}`.
	Members []byte
}

// Error returns code and message.
func (e *Error) Error() string { return e.Code + ": " + e.Message }

// Refuse makes an Error.
func Refuse(status int, code, format string, args ...any) *Error {
	return &Error{Status: status, Code: code, Message: fmt.Sprintf(format, args...)}
}

// NotEmulated is the refusal of something that AWS has and this fake has not.
// No AWS service uses the code, nor status 501, so a caller can tell it from AWS's errors.
func NotEmulated(service, what string) *Error {
	return Refuse(501, "NotEmulated",
		"%s %s is not emulated by lifeboat's drills/cloud; run this against AWS or extend the fake", service, what)
}

// Render encodes e for protocol p.
func (e *Error) Render(p Protocol, requestID string) Response {
	switch p {
	case JSON:
		return Response{Status: e.Status, Code: e.Code, Type: p.ContentType(), Body: e.json()}
	case JSON11:
		return Response{Status: e.Status, Code: e.Code, Type: p.ContentType(), Body: e.json11()}
	case CBOR:
		shape := e.Shape
		if shape == "" {
			shape = e.Code
		}
		body := cbor.Encode(cbor.Map{
			"__type":  cbor.String("com.amazonaws.cloudwatch#" + shape),
			"message": cbor.String(e.Message),
		})
		return Response{Status: e.Status, Code: e.Code, Type: p.ContentType(), Body: body, QueryError: e.Code + ";" + e.fault()}
	default:
		x := XML{}
		x.Open("ErrorResponse")
		x.Open("Error")
		x.Text("Type", e.fault())
		x.Text("Code", e.Code)
		x.Text("Message", e.Message)
		x.Close("Error")
		x.Text("RequestId", requestID)
		x.Close("ErrorResponse")
		return Response{Status: e.Status, Code: e.Code, Type: p.ContentType(), Body: x.Bytes()}
	}
}

func (e *Error) fault() string {
	if e.Status >= 500 {
		return "Receiver"
	}
	return "Sender"
}

// json writes the namespaces that DynamoDB writes: validation and envelope
// errors come from its framework (coral), the others from its own model.
func (e *Error) json() []byte {
	ns := "com.amazonaws.dynamodb.v20120810#"
	switch e.Code {
	case "ValidationException":
		ns = "com.amazon.coral.validate#"
	case "InvalidSignatureException", "UnknownOperationException", "SerializationException",
		"MissingAuthenticationTokenException", "IncompleteSignatureException":
		ns = "com.amazon.coral.service#"
	}
	b := make([]byte, 0, 128+len(e.Message)+len(e.Members))
	b = append(b, `{"__type":"`...)
	b = append(b, ns...)
	b = append(b, e.Code...)
	b = append(b, `","message":`...)
	b = AppendString(b, e.Message)
	if len(e.Members) > 0 {
		b = append(b, ',')
		b = append(b, e.Members...)
	}
	return append(b, '}')
}

// json11 writes what Secrets Manager writes: no namespace, and Message with a
// capital letter.
func (e *Error) json11() []byte {
	b := append(make([]byte, 0, 64+len(e.Message)), `{"__type":"`...)
	b = append(b, e.Code...)
	b = append(b, `","Message":`...)
	b = AppendString(b, e.Message)
	return append(b, '}')
}
