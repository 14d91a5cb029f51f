package cri

import (
	"encoding/json"
	"fmt"

	pb "k8s.io/cri-api/pkg/apis/runtime/v1"
)

// MarshalCrictl writes the config as the pod-config.json that `crictl runp`
// reads. crictl uses encoding/json on CRI's generated structs, so keys are
// snake_case and enums are numbers; protobuf's own JSON is silently misread
// (kubernetes-sigs/cri-tools cmd/crictl/util.go).
func (s SandboxConfig) MarshalCrictl() ([]byte, error) { return marshalCrictl(s.toPB()) }

// MarshalCrictl writes the config as the container-config.json that `crictl
// create` reads.
func (c ContainerConfig) MarshalCrictl() ([]byte, error) { return marshalCrictl(c.toPB()) }

func marshalCrictl(v any) ([]byte, error) {
	b, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("encode crictl JSON: %w", err)
	}
	return append(b, '\n'), nil
}

// UnmarshalCrictlSandbox reads a pod-config.json. Fields that SandboxConfig does
// not have are dropped.
func UnmarshalCrictlSandbox(b []byte) (SandboxConfig, error) {
	var p pb.PodSandboxConfig
	if err := json.Unmarshal(b, &p); err != nil {
		return SandboxConfig{}, fmt.Errorf("read pod config: %w", err)
	}
	return sandboxConfigFromPB(&p), nil
}

// UnmarshalCrictlContainer reads a container-config.json. Fields that
// ContainerConfig does not have are dropped.
func UnmarshalCrictlContainer(b []byte) (ContainerConfig, error) {
	var p pb.ContainerConfig
	if err := json.Unmarshal(b, &p); err != nil {
		return ContainerConfig{}, fmt.Errorf("read container config: %w", err)
	}
	return containerConfigFromPB(&p), nil
}
