// Command cacerts writes the certificate authorities that Mozilla trusts, in
// PEM, to standard output: those of the image, which has no system to take them
// from. They are of the Go team's module, so that the same commit gives the same
// image on any machine, and go.sum vouches for them.
package main

import (
	"bufio"
	"encoding/pem"
	"fmt"
	"io"
	"os"

	"golang.org/x/crypto/x509roots/fallback/bundle"
)

func main() {
	out := bufio.NewWriter(os.Stdout)
	err := write(out)
	if err == nil {
		err = out.Flush()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "cacerts:", err)
		os.Exit(1)
	}
}

func write(w io.Writer) error {
	for root := range bundle.Roots() {
		// Mozilla trusts a few authorities only for certificates from before a
		// day. A file cannot say that, so they are left out.
		if root.Constraint != nil {
			continue
		}
		if err := pem.Encode(w, &pem.Block{Type: "CERTIFICATE", Bytes: root.Certificate}); err != nil {
			return err
		}
	}
	return nil
}
