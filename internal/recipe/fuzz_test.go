package recipe

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/pelletier/go-toml/v2"

	"vmctl/recipes"
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
	for _, s := range []string{"cpus=4", "env=A=B", "ports.x.guest=7", "disks.a.size=1G", "mounts./a.b.source=/", "secrets.A.file=/x",
		"viewer.resolution=800x600", "env=WIDTH=1024", "env=DHCP=Y", "lifecycle.idle.after=1h", "a.b.c=d", "="} {
		f.Add(s)
	}
	f.Fuzz(applies)
}

// FuzzPort and FuzzMount are FuzzApply for the two small grammars.
func FuzzPort(f *testing.F) {
	for _, s := range []string{"8080:80/udp", "8080+:80", "any:53", "127.0.0.1:1:2", "[::1]:1:2", "[::]:1+:2/tcp", ":", "1:2:3:4", "1:2/", "[::1:2"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) { applies(t, "port="+s) })
}

func FuzzMount(f *testing.F) {
	for _, s := range []string{"/:/shared:ro", "~:/shared", "$HOME:/oem:rw", "a:b", "/:/", "/:/storage", ":", "/:/a:rx", "/:/a//b/..:ro"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) { applies(t, "mount="+s) })
}

// applies fails the test if an override does half of something.
func applies(t *testing.T, override string) {
	before, err := Parse([]byte("guest='demo'"), "")
	if err != nil {
		t.Fatal(err)
	}
	r := before.clone()
	if err := r.Apply([]string{override}); err != nil {
		if diff := cmp.Diff(before, r); diff != "" {
			t.Errorf("refused, but changed:\n%s", diff)
		}
		return
	}
	checkRoundTrip(t, r)
}

// BenchmarkValidate1000 validates a thousand recipes, as the check of a dotfiles
// repository does, against go-toml's reading of the same files into maps.
func BenchmarkValidate1000(b *testing.B) {
	dir, files := b.TempDir(), fixtures(b, "valid-*.toml")
	for i := range 1000 {
		if err := os.WriteFile(filepath.Join(dir, strconv.Itoa(i)+extension), read(b, files[i%len(files)]), 0o600); err != nil {
			b.Fatal(err)
		}
	}
	run := func(b *testing.B, check func(path string) error) {
		for b.Loop() {
			for i := range 1000 {
				if err := check(filepath.Join(dir, strconv.Itoa(i)+extension)); err != nil {
					b.Fatal(err)
				}
			}
		}
	}
	c := NewCatalog(recipes.FS)
	b.Run("baseline=go-toml", func(b *testing.B) {
		run(b, func(path string) error {
			data, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			var doc map[string]any
			return toml.Unmarshal(data, &doc)
		})
	})
	b.Run("vmctl", func(b *testing.B) {
		run(b, func(path string) error {
			_, err := c.LoadAnywhere(path)
			return err
		})
	})
}
