package lab

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Reader reads what is measured over HTTP, on connections that it keeps, and
// throws it away. The transport's buffer is the usual small one, as Prometheus has
// it: what is read goes past it, where a large one would be one more copy.
type Reader struct {
	client *http.Client
	buf    []byte
}

// NewReader makes a reader. It is used by one goroutine.
func NewReader() *Reader {
	return &Reader{
		client: &http.Client{Transport: &http.Transport{DisableCompression: true}},
		buf:    make([]byte, 256<<10),
	}
}

func (r *Reader) open(ctx context.Context, url string, gzip bool) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return nil, err
	}
	if gzip {
		req.Header.Set("Accept-Encoding", "gzip")
	}
	resp, err := r.client.Do(req)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusOK {
		_ = resp.Body.Close()
		return nil, fmt.Errorf("%s: %s", url, resp.Status)
	}
	return resp, nil
}

// Read reads a page once: how long it took, and its size in bytes.
func (r *Reader) Read(ctx context.Context, url string, gzip bool) (took time.Duration, size int64, err error) {
	began := time.Now()
	resp, err := r.open(ctx, url, gzip)
	if err != nil {
		return 0, 0, err
	}
	defer resp.Body.Close()
	for {
		n, err := resp.Body.Read(r.buf)
		size += int64(n)
		if err == io.EOF {
			return time.Since(began), size, nil
		}
		if err != nil {
			return 0, 0, fmt.Errorf("%s: %w", url, err)
		}
	}
}

// Samples adds up a page's samples by the name of the metric, and counts them.
func (r *Reader) Samples(ctx context.Context, url string) (sums map[string]float64, counts map[string]int, err error) {
	resp, err := r.open(ctx, url, false)
	if err != nil {
		return nil, nil, err
	}
	defer resp.Body.Close()
	sums, counts = make(map[string]float64), make(map[string]int)
	lines := bufio.NewScanner(resp.Body)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		line := lines.Text()
		end := strings.LastIndexByte(line, ' ')
		if strings.HasPrefix(line, "#") || end < 0 {
			continue
		}
		value, err := strconv.ParseFloat(line[end+1:], 64)
		if err != nil {
			return nil, nil, fmt.Errorf("%s: %q: %w", url, line, err)
		}
		name, _, _ := strings.Cut(line[:end], "{")
		sums[name] += value
		counts[name]++
	}
	return sums, counts, lines.Err()
}

// Await reads a page until ok is true of its samples.
func (r *Reader) Await(ctx context.Context, url string, ok func(sums map[string]float64, counts map[string]int) bool) error {
	for {
		sums, counts, err := r.Samples(ctx, url)
		if err != nil || ok(sums, counts) {
			return err
		}
		select {
		case <-time.After(500 * time.Millisecond):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
