// A function on aws-lambda-go that does what its event says.
package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"sync/atomic"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
)

type event struct {
	Do   string
	Text string
}

type answer struct {
	Text      string
	PID       int
	Count     int64
	RequestID string
	ARN       string
	Left      time.Duration
	Env       []string
}

var count atomic.Int64

func handle(ctx context.Context, in event) (any, error) {
	lc, _ := lambdacontext.FromContext(ctx)
	deadline, _ := ctx.Deadline()
	out := answer{Text: in.Text, PID: os.Getpid(), Count: count.Add(1), RequestID: lc.AwsRequestID, ARN: lc.InvokedFunctionArn, Left: time.Until(deadline)}
	switch in.Do {
	case "log":
		fmt.Print(in.Text)
	case "error":
		return nil, errors.New(in.Text)
	case "panic":
		panic(in.Text)
	case "exit":
		fmt.Println("goodbye")
		os.Exit(3)
	case "leave":
		os.Exit(0)
	case "hang":
		fmt.Println("hanging")
		select {}
	case "gate": // waits until the test lets it go
		resp, err := http.Get(in.Text)
		if err != nil {
			return nil, err
		}
		_ = resp.Body.Close()
	case "env":
		out.Env = os.Environ()
	case "big":
		return bytes.NewReader(make([]byte, 6<<20+1)), nil
	case "stream":
		return io.MultiReader(bytes.NewReader([]byte("half")), broken{}), nil
	case "call":
		resp, err := http.Post(os.Getenv("AWS_ENDPOINT_URL_LAMBDA")+"/2015-03-31/functions/"+in.Text+"/invocations", "application/json", nil)
		if err != nil {
			return nil, err
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		out.Text = string(body)
		return out, err
	}
	return out, nil
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, errors.New("the stream broke") }

func main() {
	options := []lambda.Option{}
	if how := os.Getenv("ON_SIGTERM"); how != "" {
		options = append(options, lambda.WithEnableSIGTERM(func() {
			fmt.Println("told to go")
			if how == "exit" {
				os.Exit(0)
			}
		}))
	}
	lambda.StartWithOptions(handle, options...)
}
