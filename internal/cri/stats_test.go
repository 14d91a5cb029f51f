package cri

import (
	"testing"

	pb "k8s.io/cri-api/pkg/apis/runtime/v1"
)

// TestOuterInterface has the answers of the runtimes that differ.
func TestOuterInterface(t *testing.T) {
	named := func(names ...string) (out []*pb.NetworkInterfaceUsage) {
		for _, name := range names {
			out = append(out, &pb.NetworkInterfaceUsage{Name: name})
		}
		return out
	}
	for what, test := range map[string]struct {
		usage *pb.NetworkUsage
		want  string
	}{
		"containerd 1.6":        {&pb.NetworkUsage{DefaultInterface: named("eth0")[0]}, "eth0"},
		"containerd 2":          {&pb.NetworkUsage{DefaultInterface: named("eth0")[0], Interfaces: named("docker", "eth0", "qemu")}, "eth0"},
		"CRI-O":                 {&pb.NetworkUsage{DefaultInterface: named("lo")[0], Interfaces: named("lo", "eth0")}, "eth0"},
		"another name":          {&pb.NetworkUsage{Interfaces: named("lo", "ens5")}, "ens5"},
		"only a loopback":       {&pb.NetworkUsage{DefaultInterface: named("lo")[0]}, ""},
		"a runtime that is mum": {nil, ""},
	} {
		if got := outerInterface(test.usage).GetName(); got != test.want {
			t.Errorf("%s: %q, want %q", what, got, test.want)
		}
	}
}
