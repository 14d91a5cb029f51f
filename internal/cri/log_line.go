package cri

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
)

// LogLine is one line of a container's output, joined from its parts and without
// its end.
type LogLine struct {
	Time   time.Time
	Stream string // "stdout" or "stderr"; "" for a line that is in no known format
	Text   string
}

// logPart is one line of a log file: a line of output, or a part of one.
type logPart struct {
	LogLine
	partial bool
}

var errLogFormat = errors.New("not a container log line")

// parseLogLine reads one line of a log file, without its newline. A line that
// opens with a brace is Docker's: cri-dockerd hands out Docker's json-file log.
func parseLogLine(line []byte) (logPart, error) {
	if bytes.HasPrefix(line, []byte("{")) {
		return parseDockerLine(line)
	}
	return parseCRILine(line)
}

// parseCRILine reads "TIME STREAM TAGS TEXT", for example
//
//	2026-11-21T02:12:55.50939996Z stdout F VMCTL_READY
//
// where the first of the tags, which colons divide, is F (full) or P (partial);
// see kubernetes design-proposals, kubelet-cri-logging. CRI-O writes the zone as
// "+00:00".
func parseCRILine(line []byte) (logPart, error) {
	stamp, rest, ok1 := strings.Cut(string(line), " ")
	stream, rest, ok2 := strings.Cut(rest, " ")
	tags, text, _ := strings.Cut(rest, " ")
	tag, _, _ := strings.Cut(tags, ":")
	if !ok1 || !ok2 || (stream != "stdout" && stream != "stderr") || (tag != "F" && tag != "P") {
		return logPart{}, errLogFormat
	}
	t, err := time.Parse(time.RFC3339Nano, stamp)
	if err != nil {
		return logPart{}, fmt.Errorf("%w: %w", errLogFormat, err)
	}
	return logPart{LogLine: LogLine{Time: t, Stream: stream, Text: text}, partial: tag == "P"}, nil
}

// parseDockerLine reads {"log":"text\n","stream":"stdout","time":"..."}; a text
// without the newline goes on in the next line.
func parseDockerLine(line []byte) (logPart, error) {
	var v struct {
		Log    *string   `json:"log"`
		Stream string    `json:"stream"`
		Time   time.Time `json:"time"`
	}
	if err := json.Unmarshal(line, &v); err != nil {
		return logPart{}, fmt.Errorf("%w: %w", errLogFormat, err)
	}
	if v.Log == nil || (v.Stream != "stdout" && v.Stream != "stderr") {
		return logPart{}, errLogFormat
	}
	text, full := strings.CutSuffix(*v.Log, "\n")
	return logPart{LogLine: LogLine{Time: v.Time, Stream: v.Stream, Text: text}, partial: !full}, nil
}
