package cri

import "strings"

// maxLogLine is where the joiner lets go of a line that does not end, so that
// output without newlines cannot fill the memory.
const maxLogLine = 1 << 20

// logJoiner puts lines together from their parts. The streams interleave, so
// each has a line of its own under way.
type logJoiner struct {
	pending map[string]*pendingLine
}

type pendingLine struct {
	first LogLine // its time is the line's
	text  strings.Builder
}

// add takes the next part and returns a line when one is complete.
func (j *logJoiner) add(part logPart) (LogLine, bool) {
	p := j.pending[part.Stream]
	if p == nil && !part.partial {
		return endLine(part.LogLine), true
	}
	if p == nil {
		p = &pendingLine{first: part.LogLine}
		if j.pending == nil {
			j.pending = map[string]*pendingLine{}
		}
		j.pending[part.Stream] = p
	}
	p.text.WriteString(part.Text)
	if part.partial && p.text.Len() < maxLogLine {
		return LogLine{}, false
	}
	return j.end(part.Stream, p), true
}

// flush returns the lines that have not ended and never will.
func (j *logJoiner) flush() []LogLine {
	var out []LogLine
	for _, stream := range []string{"stdout", "stderr"} {
		if p := j.pending[stream]; p != nil {
			out = append(out, j.end(stream, p))
		}
	}
	return out
}

func (j *logJoiner) end(stream string, p *pendingLine) LogLine {
	delete(j.pending, stream)
	line := p.first
	line.Text = p.text.String()
	return endLine(line)
}

// endLine drops the carriage return that a terminal puts before the newline.
func endLine(l LogLine) LogLine {
	l.Text = strings.TrimSuffix(l.Text, "\r")
	return l
}
