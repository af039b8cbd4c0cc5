// Verifies a gptgate proof file with Go's own implementation of transparency logs (golang.org/x/mod/sumdb), which
// shares nothing with gptgate: go run . PUBLIC-KEY PROOF-FILE. Prints the entry.
package main

import (
	"encoding/base64"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

func main() {
	if len(os.Args) != 3 {
		fail(fmt.Errorf("usage: verify-with-go PUBLIC-KEY PROOF-FILE"))
	}
	data, err := os.ReadFile(os.Args[2])
	fail(err)
	head, checkpoint, found := strings.Cut(string(data), "\n\n")
	lines := strings.Split(head, "\n")
	if !found || len(lines) < 3 || lines[0] != "c2sp.org/tlog-proof@v1" {
		fail(fmt.Errorf("this is not a proof file"))
	}
	entry, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(lines[1], "extra "))
	fail(err)
	index, err := strconv.ParseInt(strings.TrimPrefix(lines[2], "index "), 10, 64)
	fail(err)
	var proof tlog.RecordProof
	for _, line := range lines[3:] {
		hash, err := tlog.ParseHash(line)
		fail(err)
		proof = append(proof, hash)
	}
	verifier, err := note.NewVerifier(os.Args[1])
	fail(err)
	signed, err := note.Open([]byte(checkpoint), note.VerifierList(verifier))
	fail(err)
	tree := strings.Split(signed.Text, "\n")
	if len(tree) < 3 || tree[0] != verifier.Name() {
		fail(fmt.Errorf("the checkpoint is of another log"))
	}
	size, err := strconv.ParseInt(tree[1], 10, 64)
	fail(err)
	root, err := tlog.ParseHash(tree[2])
	fail(err)
	fail(tlog.CheckRecord(proof, size, root, index, tlog.RecordHash(entry)))
	fmt.Printf("%s\n", entry)
}

func fail(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(3)
	}
}
