// Command clientgo forwards ports the way kubectl does, with client-go's portforward
// package: one SPDY connection for all. It is what vmctl's rungs are measured against.
//
//	clientgo URL PORT...
//
// URL is what the CRI call PortForward has answered, and each PORT one of the pod's. It
// prints the address that it listens on for each port, and serves until its standard
// input ends. That it ends earlier, with an error, is what it does when one connection
// fails.
package main

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/portforward"
	"k8s.io/client-go/transport/spdy"
)

func main() {
	if err := run(os.Args[1], os.Args[2:]); err != nil {
		fmt.Fprintln(os.Stderr, "clientgo:", err)
		os.Exit(1)
	}
}

func run(address string, ports []string) error {
	target, err := url.Parse(address)
	if err != nil {
		return err
	}
	transport, upgrader, err := spdy.RoundTripperFor(&rest.Config{})
	if err != nil {
		return err
	}
	dialer := spdy.NewDialer(upgrader, &http.Client{Transport: transport}, http.MethodPost, target)
	pairs := make([]string, 0, len(ports))
	for _, port := range ports {
		pairs = append(pairs, "0:"+port)
	}
	stop, ready := make(chan struct{}), make(chan struct{})
	forwarder, err := portforward.NewOnAddresses(dialer, []string{"127.0.0.1"}, pairs, stop, ready, nil, os.Stderr)
	if err != nil {
		return err
	}
	go func() { _, _ = io.Copy(io.Discard, os.Stdin); close(stop) }()
	go func() {
		<-ready
		listening, err := forwarder.GetPorts()
		if err != nil {
			return
		}
		for _, p := range listening {
			fmt.Printf("127.0.0.1:%d\n", p.Local)
		}
	}()
	return forwarder.ForwardPorts()
}
