package report

import (
	"errors"
	"fmt"
	"strings"
)

// The marks around what Section finds.
const (
	sectionBegins = "<!-- reliability %s -->\n"
	sectionEnds   = "<!-- end -->"
)

// Section returns what stands in a document between the marks of a target's reliability,
// "<!-- reliability TARGET -->" on a line of its own and "<!-- end -->".
func Section(document, target string) (string, error) {
	_, text, _, err := cutSection(document, target)
	return text, err
}

// ReplaceSection returns the document with another text between the marks.
func ReplaceSection(document, target, text string) (string, error) {
	before, _, after, err := cutSection(document, target)
	switch {
	case err != nil:
		return "", err
	case strings.Contains(text, "<!--"):
		return "", errors.New("report: the new text holds a mark itself, and could not be replaced again")
	}
	return before + text + after, nil
}

func cutSection(document, target string) (before, text, after string, err error) {
	mark := fmt.Sprintf(sectionBegins, target)
	before, rest, found := strings.Cut(document, mark)
	if !found {
		return "", "", "", fmt.Errorf("report: no line %q: put it where the table shall stand, and %q on a line behind it", strings.TrimSpace(mark), sectionEnds)
	}
	text, after, found = strings.Cut(rest, sectionEnds)
	if !found || strings.Contains(text, "<!--") {
		return "", "", "", fmt.Errorf("report: no %q behind %q: put it on the line after the table", sectionEnds, strings.TrimSpace(mark))
	}
	if strings.Contains(after, mark) {
		return "", "", "", fmt.Errorf("report: %q is there twice: leave one", strings.TrimSpace(mark))
	}
	return before + mark, text, sectionEnds + after, nil
}
