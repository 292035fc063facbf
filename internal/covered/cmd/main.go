// Command cmd prints what coverage profiles say of packages, and fails when one of them is
// below a percentage, or not there: cmd -least 95 -of PACKAGE,PACKAGE PROFILE...
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/lifeboat-dr/lifeboat/internal/covered"
)

func main() {
	least := flag.Float64("least", 95, "percent of the statements that some test must run")
	of := flag.String("of", "", "the packages, separated by commas")
	flag.Parse()
	if err := judge(*least, strings.Split(*of, ","), flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func judge(least float64, of, files []string) error {
	var profiles []io.Reader
	for _, name := range files {
		f, err := os.Open(name)
		if err != nil {
			return fmt.Errorf("cover: %w", err)
		}
		defer f.Close() //nolint:errcheck // it was only read
		profiles = append(profiles, f)
	}
	shares, err := covered.Add(profiles...)
	if err != nil {
		return err
	}
	named, err := covered.Judge(shares, least, of)
	for _, s := range named {
		fmt.Println(s)
	}
	return err
}
