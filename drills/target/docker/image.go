package docker

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/client"
)

const (
	// DefaultImage is the MySQL image that is pulled when none is named.
	DefaultImage = "mysql:8.4"
	// BuiltImage is what build-image.sh makes.
	BuiltImage = "lifeboat/mysql:9.7"

	nodeRepository = "lifeboat/node"
	nodeLabel      = "lifeboat.node"
	// pullTimeout bounds a pull; the image has about 250 MB compressed.
	pullTimeout = 10 * time.Minute
)

// ErrNoImage says that there is no MySQL image to use.
var ErrNoImage = errors.New("docker: no MySQL image")

// mysqlImage returns the image to use: the one named, or $DRILL_MYSQL_IMAGE, or
// the first of DefaultImage and BuiltImage that is here, or DefaultImage pulled.
func (e *engine) mysqlImage(ctx context.Context, named string) (string, error) {
	if named == "" {
		named = os.Getenv(ImageVariable)
	}
	candidates := []string{named}
	if named == "" {
		candidates = []string{DefaultImage, BuiltImage}
	}
	for _, image := range candidates {
		ok, err := e.hasImage(ctx, image)
		if ok || err != nil {
			return image, err
		}
	}
	ctx, cancel := context.WithTimeout(ctx, pullTimeout)
	defer cancel()
	if err := e.provider.PullImage(ctx, candidates[0]); err != nil {
		return "", fmt.Errorf("%w: pull %s: %w; pull or load it by hand, or name another (MySQL 8.4 or later) in %s, "+
			"or make %s with drills/target/docker/build-image.sh, which needs root and a Debian mirror",
			ErrNoImage, candidates[0], err, ImageVariable, BuiltImage)
	}
	return candidates[0], nil
}

func (e *engine) hasImage(ctx context.Context, image string) (bool, error) {
	_, err := e.ImageInspect(ctx, image)
	switch {
	case errdefs.IsNotFound(err):
		return false, nil
	case err != nil:
		return false, fmt.Errorf("docker: look for image %s: %w", image, err)
	}
	return true, nil
}

// nodeImage returns an image from scratch that holds the node binary, the functions'
// and nothing else. Its tag is their hash, so it is made once per build.
func (e *engine) nodeImage(ctx context.Context, programs []File) (string, error) {
	sum := sha256.New()
	for _, p := range programs {
		fmt.Fprintf(sum, "%s %d\n", p.Path, len(p.Content))
		sum.Write(p.Content)
	}
	image := fmt.Sprintf("%s:%x", nodeRepository, sum.Sum(nil))[:len(nodeRepository)+1+16]
	ok, err := e.hasImage(ctx, image)
	if ok || err != nil {
		return image, err
	}
	archive, err := archiveOf(programs...)
	if err != nil {
		return "", err
	}
	out, err := e.ImageImport(ctx, client.ImageImportSource{Source: archive, SourceName: "-"}, image,
		client.ImageImportOptions{Changes: []string{"LABEL " + nodeLabel + "=1"}})
	if err != nil {
		return "", fmt.Errorf("docker: import image %s: %w", image, err)
	}
	defer out.Close()
	// The image is there when the answer ends.
	if _, err := io.Copy(io.Discard, out); err != nil {
		return "", fmt.Errorf("docker: import image %s: %w", image, err)
	}
	return image, nil
}

// pruneImages removes node images of builds of former days, except keep. One
// that a container uses stays.
func (e *engine) pruneImages(ctx context.Context, keep string) error {
	const age = 24 * time.Hour // another checkout's tests may be about to use a younger one
	list, err := e.ImageList(ctx, client.ImageListOptions{Filters: make(client.Filters).Add("label", nodeLabel)})
	if err != nil {
		return fmt.Errorf("docker: list node images: %w", err)
	}
	for _, image := range list.Items {
		if slices.Contains(image.RepoTags, keep) || time.Since(time.Unix(image.Created, 0)) < age {
			continue
		}
		_, err := e.ImageRemove(ctx, image.ID, client.ImageRemoveOptions{Force: false, PruneChildren: true})
		if err != nil && !errdefs.IsConflict(err) && !errdefs.IsNotFound(err) {
			return fmt.Errorf("docker: remove node image %s: %w", image.ID, err)
		}
	}
	return nil
}

// archiveOf returns a tar archive of files for the root of a container.
func archiveOf(files ...File) (io.Reader, error) {
	var buf bytes.Buffer
	w := tar.NewWriter(&buf)
	for _, f := range files {
		h := &tar.Header{Typeflag: tar.TypeReg, Name: f.Path[1:], Mode: f.Mode, Size: int64(len(f.Content))}
		if err := w.WriteHeader(h); err != nil {
			return nil, fmt.Errorf("docker: archive %s: %w", f.Path, err)
		}
		if _, err := w.Write(f.Content); err != nil {
			return nil, fmt.Errorf("docker: archive %s: %w", f.Path, err)
		}
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("docker: archive: %w", err)
	}
	return &buf, nil
}
