// Package autostart starts machines with the host, through systemd.
//
// A machine has a unit of its own, which runs `vmctl up --foreground NAME`: that starts
// the machine, stays with it, and shuts the guest down when the unit is stopped, also
// when the host is.
//
//	u := autostart.Unit{Machine: "win11", Program: "/usr/local/bin/vmctl", Grace: 2 * time.Minute}
//	err := u.Enable(ctx)
//
// Units of the user are in $XDG_CONFIG_HOME/systemd/user and need no root; they start
// with the user's first login, or with the host after `loginctl enable-linger`. Units of
// the system are in /etc/systemd/system. Both are plain files that anybody may read and
// change; one that was not written here is not touched.
package autostart
