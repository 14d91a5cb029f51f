package recipe

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Whatever the bytes: no panic; a recipe that can be frozen; or problems with places.
func FuzzParse(f *testing.F) {
	for _, file := range fixtures(f, "*.toml") {
		f.Add(read(f, file))
	}
	f.Add([]byte("a.b.c = 1\n[a.b]\n[[a.b.d]]\n"))
	f.Add([]byte("ports = [{guest=1}, {guest=1}]\n[[ports]]"))
	f.Add([]byte("guest='demo'\r\nenv.'x y' = '''\r\na'''\r\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := Parse(data, "/fuzz/vm.toml")
		if err != nil {
			var problems Problems
			if !errors.As(err, &problems) || len(problems) == 0 {
				t.Fatalf("error %v is not Problems", err)
			}
			for _, p := range problems {
				if p.Line < 1 || p.Column < 1 || p.Message == "" {
					t.Errorf("problem without a place: %q", p)
				}
			}
			return
		}
		checkRoundTrip(t, r)
	})
}

func FuzzSize(f *testing.F) {
	for _, s := range []string{"8G", "8GiB", "1.5G", "half", "0", "-1M", "1e3G", "9999999999T", "١G", "0x10G"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		size, err := ParseSize(s)
		if err != nil {
			return
		}
		if size.Word == "" && (size.Bytes < MiB || size.Bytes > maxSize || size.Bytes%MiB != 0) {
			t.Errorf("ParseSize(%q) = %d bytes", s, size.Bytes)
		}
		again, err := ParseSize(size.String())
		if err != nil || again != size {
			t.Errorf("ParseSize(%q) = %v, but its text gives %v, %v", s, size, again, err)
		}
	})
}

func FuzzHostPort(f *testing.F) {
	for _, s := range []string{"8006", "8006+", "any", "0", "65536", "+80", "-1", "080", " 80 ", "8_0"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		port, err := ParseHostPort(s)
		if err != nil {
			return
		}
		if (port.Number < 1 || port.Number > 65535) != (port.Mode == HostPortAny) {
			t.Errorf("ParseHostPort(%q) = %+v", s, port)
		}
		again, err := ParseHostPort(port.String())
		if err != nil || again != port {
			t.Errorf("ParseHostPort(%q) = %v, but its text gives %v, %v", s, port, again, err)
		}
	})
}

// Overrides never panic, and never leave a recipe that cannot be frozen.
func FuzzApply(f *testing.F) {
	for _, s := range []string{"cpus=4", "port=8080:80/udp", "mount=/a:/b:ro", "env=A=B", "ports.x.guest=7", "a.b.c=d", "=", "port=[::]:1:2"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		before, err := Parse([]byte("guest='demo'"), "")
		if err != nil {
			t.Fatal(err)
		}
		r := before.clone()
		if err := r.Apply([]string{s}); err != nil {
			if diff := cmp.Diff(before, r); diff != "" {
				t.Errorf("refused, but changed:\n%s", diff)
			}
			return
		}
		checkRoundTrip(t, r)
	})
}

// BenchmarkParse1000 validates a thousand recipes: a dotfiles repository's check.
func BenchmarkParse1000(b *testing.B) {
	var files [][]byte
	for _, file := range fixtures(b, "valid-*.toml") {
		files = append(files, read(b, file))
	}
	for b.Loop() {
		for i := range 1000 {
			if _, err := Parse(files[i%len(files)], "/dotfiles/vm.toml"); err != nil {
				b.Fatal(err)
			}
		}
	}
}
