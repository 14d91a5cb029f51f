package storage

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path"
	"strconv"
	"time"
)

// extent is a stretch of a file that holds data.
type extent struct{ start, end int64 }

// A tar reader keeps the whole map of a sparse file in memory, and Go's takes no more than
// 1 << 20 entries (archive/tar, maxSparseFileEntries): holes that are not worth an entry
// are written as zeros.
const (
	leastHole  = 64 << 10
	mostInAMap = 100_000
)

// dataOf lists the data of a file, with holes of at least leastHole between.
func dataOf(f *os.File, size int64) ([]extent, error) {
	var list []extent
	err := extents(f, size, func(start, end int64) error {
		list = append(list, extent{start, end})
		return nil
	})
	for hole := int64(leastHole); err == nil; hole *= 2 {
		if list = joined(list, hole); len(list) <= mostInAMap {
			break
		}
	}
	return list, err
}

// joined takes holes that are smaller out of a list.
func joined(list []extent, hole int64) []extent {
	var out []extent
	for _, e := range list {
		if n := len(out); n > 0 && e.start-out[n-1].end < hole {
			out[n-1].end = e.end
			continue
		}
		out = append(out, e)
	}
	return out
}

// hasHoles tells whether the data leaves holes in a file of that size.
func hasHoles(data []extent, size int64) bool {
	return size > 0 && (len(data) != 1 || data[0] != extent{0, size})
}

// sparseHeader is the beginning of a tar entry for a file with holes, up to its data: PAX
// format 1.0 of GNU tar (GNU tar manual, "Storing Sparse Files"), which GNU tar, bsdtar and
// archive/tar read; the latter does not write it.
func sparseHeader(name string, size int64, data []extent, mode int64, when time.Time) []byte {
	var list bytes.Buffer
	entries := append(append([]extent(nil), data...), extent{size, size}) // the end, where a hole is last
	fmt.Fprintln(&list, len(entries))
	stored := int64(0)
	for _, e := range entries {
		fmt.Fprintf(&list, "%d\n%d\n", e.start, e.end-e.start)
		stored += e.end - e.start
	}
	list.Write(padding(int64(list.Len())))
	stored += int64(list.Len())
	var records bytes.Buffer
	for _, r := range [][2]string{
		{"GNU.sparse.major", "1"}, {"GNU.sparse.minor", "0"}, {"GNU.sparse.name", name},
		{"GNU.sparse.realsize", strconv.FormatInt(size, 10)}, {"size", strconv.FormatInt(stored, 10)},
	} {
		records.WriteString(paxRecord(r[0], r[1]))
	}
	var out bytes.Buffer
	out.Write(ustar("PaxHeaders/"+path.Base(name), int64(records.Len()), 0o644, when, 'x'))
	out.Write(records.Bytes())
	out.Write(padding(int64(records.Len())))
	out.Write(ustar("GNUSparseFile.0/"+path.Base(name), stored, mode, when, '0'))
	out.Write(list.Bytes())
	return out.Bytes()
}

// tarBlock is the unit of a tar archive.
const tarBlock = 512

// padding fills up a block after n bytes.
func padding(n int64) []byte { return make([]byte, -n&(tarBlock-1)) }

// paxRecord is "LENGTH KEY=VALUE\n", where the length counts itself (POSIX pax).
func paxRecord(key, value string) string {
	rest := " " + key + "=" + value + "\n"
	n := len(rest)
	for len(strconv.Itoa(n))+len(rest) != n {
		n = len(strconv.Itoa(n)) + len(rest)
	}
	return strconv.Itoa(n) + rest
}

// ustar is a header block. A size that its field cannot hold must be in a PAX record.
func ustar(name string, size, mode int64, when time.Time, kind byte) []byte {
	b := make([]byte, tarBlock)
	copy(b[:100], name)
	copy(b[100:], fmt.Sprintf("%07o\x00%07o\x00%07o\x00", mode, 0, 0))
	copy(b[124:], fmt.Sprintf("%011o\x00%011o\x00", size&(1<<33-1), when.Unix()&(1<<33-1)))
	copy(b[148:], "        ")
	b[156] = kind
	copy(b[257:], "ustar\x0000")
	sum := 0
	for _, c := range b {
		sum += int(c)
	}
	copy(b[148:], fmt.Sprintf("%06o\x00 ", sum))
	return b
}

// writeData writes the data of a file, as a tar entry has it.
func writeData(w io.Writer, f *os.File, data []extent) (n int64, err error) {
	for _, e := range data {
		m, err := io.Copy(w, io.NewSectionReader(f, e.start, e.end-e.start))
		n += m
		if err == nil && m != e.end-e.start {
			err = io.ErrUnexpectedEOF
		}
		if err != nil {
			return n, fmt.Errorf("read %s: %w", f.Name(), err)
		}
	}
	return n, nil
}
