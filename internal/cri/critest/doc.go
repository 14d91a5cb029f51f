// Package critest is for testing what talks to a container runtime: a fake
// runtime, and a conformance suite.
//
// The fake, Server, is a real gRPC server on a unix socket that keeps sandboxes,
// containers and images in memory and behaves like containerd where that is
// surprising: names stay reserved, a container starts once, StopPodSandbox kills
// with 137 at once, RemoveImage takes every tag, log files are really written.
//
//	rt := critest.NewServer(t)
//	rt.AddImage("localhost/vmctl-demo:1")
//	rt.OnStart("vm", func(p *critest.Process) int {
//		p.Log("stdout", "VMCTL_READY")
//		<-p.Stopped() // the stop signal
//		return 143
//	})
//	client, err := cri.Dial(ctx, rt.Endpoint())
//
// Any call can be made to go wrong:
//
//	rt.At("CreateContainer", 1).Fail(codes.Unknown, "no space left on device")
//	rt.At("StartContainer", 1).LoseAnswer()    // done, but nobody is told
//	rt.At("PullImage", 1).Stall()              // until released, or the caller gives up
//	rt.At("RunPodSandbox", 1).Vanish()         // the daemon dies
//	rt.At("StopContainer", 0).Do(cancel)       // something else happens just then
//
// RunConformance is one suite of subtests for any endpoint. It runs on the fake
// in plain tests, so that the fake stays honest, and on real runtimes in tests
// with the tag e2e.
//
// The fake has no network and no isolation. A sandbox's address is a loopback
// address of its own, on which a test may listen in the guest's place.
package critest
