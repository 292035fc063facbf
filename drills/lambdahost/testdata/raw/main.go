// A runtime of its own: raw HTTP, as little of it as possible, and what a
// well-behaved one would not do.
package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
)

var api = "http://" + os.Getenv("AWS_LAMBDA_RUNTIME_API") + "/2018-06-01/runtime/"

func post(path, body string) string {
	resp, err := http.Post(api+path, "application/json", strings.NewReader(body))
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	defer resp.Body.Close()
	answer, _ := io.ReadAll(resp.Body)
	return fmt.Sprintf("%d %s", resp.StatusCode, strings.TrimSpace(string(answer)))
}

func next() (*http.Response, string) {
	resp, err := http.Get(api + "invocation/next")
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	defer resp.Body.Close()
	body, _ := io.ReadAll(resp.Body)
	return resp, string(body)
}

func main() {
	sigterm := make(chan os.Signal, 1)
	signal.Notify(sigterm, syscall.SIGTERM)
	go func() {
		<-sigterm
		fmt.Println("told to go") // and stays
	}()
	switch os.Getenv("INIT") {
	case "error":
		fmt.Println(post("init/error", `{"errorType":"Config.Missing","errorMessage":"LIFEBOAT_TABLE is not set"}`))
		os.Exit(1)
	case "exit":
		os.Exit(7)
	case "hang":
		select {}
	case "second": // the first attempt fails, the second works
		if _, err := os.Stat(os.Getenv("MARK")); err != nil {
			_ = os.WriteFile(os.Getenv("MARK"), nil, 0o600)
			os.Exit(1)
		}
	}
	for {
		resp, event := next()
		id := resp.Header.Get("Lambda-Runtime-Aws-Request-Id")
		switch event {
		case `"headers"`:
			for _, h := range []string{"Aws-Request-Id", "Deadline-Ms", "Invoked-Function-Arn", "Trace-Id"} {
				fmt.Println(h, resp.Header.Get("Lambda-Runtime-"+h))
			}
			fmt.Print("no newline")
		case `"misbehave"`:
			again, body := next()
			fmt.Println("next:", again.StatusCode, strings.TrimSpace(body))
			fmt.Println("other:", post("invocation/00000000-0000-4000-8000-000000000000/response", "1"))
			fmt.Println("first:", post("invocation/"+id+"/response", `"first"`))
			fmt.Println("second:", post("invocation/"+id+"/response", `"second"`))
			fmt.Println("error:", post("invocation/"+id+"/error", `{}`))
			continue
		case `"answer and die"`:
			post("invocation/"+id+"/response", `"last words"`)
			os.Exit(5)
		}
		post("invocation/"+id+"/response", event)
	}
}
