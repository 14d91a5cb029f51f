package critest

import (
	"strings"
)

func runtimeTests() []conformanceTest {
	return []conformanceTest{
		{name: "version", run: testVersion},
		{name: "status is ready", run: testStatus},
		{name: "cgroup parent has the driver's form", run: testCgroupParent},
	}
}

func testVersion(b *bench) {
	v, err := b.c.Version(b.ctx)
	b.must(err)
	if v.RuntimeName == "" || v.RuntimeVersion == "" || v.APIVersion != "v1" {
		b.Errorf("version = %+v", v)
	}
}

func testStatus(b *bench) {
	s, err := b.c.Status(b.ctx)
	b.must(err)
	if !s.RuntimeReady.OK || !s.NetworkReady.OK {
		b.Errorf("not ready: runtime %+v, network %+v", s.RuntimeReady, s.NetworkReady)
	}
}

func testCgroupParent(b *bench) {
	got, err := b.c.CgroupParent(b.ctx, "vmctl-critest")
	b.must(err)
	if got != "/vmctl-critest" && got != "vmctl-critest.slice" {
		b.Errorf("cgroup parent = %q", got)
	}
	if strings.HasSuffix(got, ".slice") {
		b.Log("driver: systemd")
	}
}
