package tf_test

import (
	"crypto/md5"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
)

// bucketStore is as much of S3 as terraform's backend asks for, over loopback:
// buckets, objects, and the conditional write that its lock file rests on.
type bucketStore struct {
	*httptest.Server
	mu      sync.Mutex
	buckets map[string]map[string][]byte
	deny    string // a suffix of keys that can't be written
}

func newBucketStore(t *testing.T) *bucketStore {
	t.Helper()
	s := &bucketStore{buckets: map[string]map[string][]byte{}}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	return s
}

func (s *bucketStore) create(bucket string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.buckets[bucket] = map[string][]byte{}
}

func (s *bucketStore) object(bucket, key string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return string(s.buckets[bucket][key])
}

func (s *bucketStore) put(bucket, key, text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.buckets[bucket][key] = []byte(text)
}

func (s *bucketStore) denyWrites(suffix string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.deny = suffix
}

func (s *bucketStore) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	s.mu.Lock()
	defer s.mu.Unlock()
	name, key, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	refuse := func(status int, code string) {
		w.WriteHeader(status)
		fmt.Fprintf(w, "<Error><Code>%s</Code><Message>%s</Message></Error>", code, code)
	}
	bucket, ok := s.buckets[name]
	switch {
	case !ok:
		refuse(http.StatusNotFound, "NoSuchBucket")
	case key == "":
		fmt.Fprintf(w, `<ListBucketResult><Name>%s</Name><IsTruncated>false</IsTruncated>`, name)
		for k := range bucket {
			if strings.HasPrefix(k, r.URL.Query().Get("prefix")) {
				fmt.Fprintf(w, "<Contents><Key>%s</Key></Contents>", k)
			}
		}
		fmt.Fprint(w, "</ListBucketResult>")
	case r.Method == http.MethodPut && s.deny != "" && strings.HasSuffix(key, s.deny):
		refuse(http.StatusForbidden, "AccessDenied")
	case r.Method == http.MethodPut:
		if _, there := bucket[key]; there && r.Header.Get("If-None-Match") == "*" {
			refuse(http.StatusPreconditionFailed, "PreconditionFailed")
			return
		}
		bucket[key] = body
	case r.Method == http.MethodDelete:
		delete(bucket, key)
		w.WriteHeader(http.StatusNoContent)
	default: // GET and HEAD
		data, there := bucket[key]
		if !there {
			refuse(http.StatusNotFound, "NoSuchKey")
			return
		}
		sum := md5.Sum(data)
		w.Header().Set("ETag", `"`+hex.EncodeToString(sum[:])+`"`)
		w.Header().Set("Content-Length", fmt.Sprint(len(data)))
		if r.Method == http.MethodGet {
			_, _ = w.Write(data)
		}
	}
}
