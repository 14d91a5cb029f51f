package cri

// Image is one image in the runtime's store.
type Image struct {
	ID      string
	Tags    []string
	Digests []string
	// Size is in bytes, as the runtime counts it (compressed or unpacked,
	// that differs).
	Size uint64
}

// Auth is the credential for one pull. The zero value is anonymous.
type Auth struct {
	Username string
	Password string
}

// FilesystemUsage is where images live and how much they take.
type FilesystemUsage struct {
	Mountpoint string
	UsedBytes  uint64
}
