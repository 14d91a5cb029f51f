package cri

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// What MarshalCrictl writes comes back whole, without a remark.
func TestParseCrictlOwnFiles(t *testing.T) {
	for name, marshal := range map[string]func() ([]byte, error){"pod": fullSandbox().MarshalCrictl, "container": fullContainer().MarshalCrictl} {
		data, err := marshal()
		if err != nil {
			t.Fatal(err)
		}
		got, err := ParseCrictl(data)
		if err != nil {
			t.Fatal(err)
		}
		if len(got.Remarks) > 0 {
			t.Errorf("%s: remarks %v", name, got.Remarks)
		}
		if name == "pod" {
			if diff := cmp.Diff(fullSandbox(), *got.Sandbox); diff != "" {
				t.Errorf("pod (-want +got):\n%s", diff)
			}
		} else if diff := cmp.Diff(fullContainer(), *got.Container); diff != "" {
			t.Errorf("container (-want +got):\n%s", diff)
		}
	}
}

func TestParseCrictlRemarks(t *testing.T) {
	for _, tt := range []struct{ name, text, field, want string }{
		{"camelCase", "metadata: {name: a}\nlogDirectory: /a", "logDirectory", "reads log_directory only"},
		{"within", "metadata: {name: a}\nlinux: {securityContext: {privileged: true}}", "linux.securityContext", "reads security_context only"},
		{"both", "metadata: {name: a}\nlogDirectory: /a\nlog_directory: /b", "logDirectory", "log_directory is there too"},
		{"an enum by name", "metadata: {name: a}\nport_mappings: [{protocol: UDP, container_port: 1}]", "port_mappings.0.protocol", "the number 1"},
		{"a number in quotes", "metadata: {name: a}\nport_mappings: [{container_port: '1'}]", "port_mappings.0.container_port", "wants the number"},
		{"unknown", "metadata: {name: a}\nrestart: always", "restart", "does not know it"},
		{"not held", "metadata: {name: a}\nimage: {image: x}\nstdin: true", "stdin", "not carried over"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := ParseCrictl([]byte(tt.text))
			if err != nil {
				t.Fatal(err)
			}
			if len(got.Remarks) != 1 || got.Remarks[0].Field != tt.field || !strings.Contains(got.Remarks[0].Text, tt.want) {
				t.Errorf("remarks %+v, want one at %s with %q", got.Remarks, tt.field, tt.want)
			}
		})
	}
	got, err := ParseCrictl([]byte("metadata: {name: a}\nlinux: {securityContext: {privileged: true, namespaceOptions: {pid: CONTAINER}}}"))
	if err != nil || !got.Sandbox.Privileged || got.Sandbox.PIDNamespace != NamespaceContainer {
		t.Errorf("what the file means is lost: %+v, %v", got.Sandbox, err)
	}
}

func TestParseCrictlBroken(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{"", "not a mapping"},
		{"[]", "not a mapping"},
		{"a: 1", "no metadata"},
		{"metadata: {name: a}\na: [", "line 2"},
		{"metadata: {name: a}\nport_mappings: 3", "as crictl would read it"},
		{"metadata: {name: a}\nlinux: {security_context: {namespace_options: {pid: NOWHERE}}}", "NamespaceMode"},
	} {
		if got, err := ParseCrictl([]byte(tt.text)); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("ParseCrictl(%q) = %+v, %v; want an error with %q", tt.text, got, err, tt.want)
		}
	}
}

func FuzzParseCrictl(f *testing.F) {
	f.Add([]byte(`{"metadata":{"name":"a"},"linux":{"securityContext":{"privileged":true}}}`))
	f.Add([]byte("metadata: {name: a}\nimage: {image: x}\nenvs: [{key: A, value: b}]\ndevices: [{hostPath: /dev/kvm}]\n"))
	f.Add([]byte("metadata: &a {name: *a}\n"))
	f.Add([]byte("metadata: {}\nport_mappings: [null, 1, {protocol: SCTP}]\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := ParseCrictl(data)
		if err == nil && (got.Sandbox == nil) == (got.Container == nil) {
			t.Errorf("%q is neither one nor the other: %+v", data, got)
		}
	})
}
