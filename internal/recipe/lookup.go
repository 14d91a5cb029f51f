package recipe

// GuestOf tells which guest an image runs, from the name of its repository: "" and
// false for one that is not known.
func GuestOf(image string) (Guest, bool) { return guestOf(image) }

// Enabled reads a switch as the images do: Y, yes, true, on and 1 are on.
func Enabled(value string) bool { return enabled(value) }
