# SPDX-License-Identifier: Apache-2.0
#
# usage: awk -f format.awk docs/FORMAT.md >ctlsign-format.5.scd
#
# The format's description stands once, in docs/FORMAT.md; this makes scdoc's
# input of it: headings, paragraphs, lists, tables, and what is in a line.

# What is in a line. Names in backquotes are bold, as **bold** is; *this* is underlined.
function inline(text, bold,    i, c, out, code) {
	out = ""
	for (i = 1; i <= length(text); i++) {
		c = substr(text, i, 1)
		if (c == "`") {
			code = !code
			out = out (bold ? "" : "*")
		} else if (code || c != "*") {
			out = out (c ~ /[_*\\]/ ? "\\" : "") c
		} else if (substr(text, i, 2) == "**") {
			bold = !bold
			out = out "*"
			i++
		} else {
			out = out "_"
		}
	}
	return out
}

# A first character that would mean something at the beginning of a line.
function guarded(text) {
	return (text ~ /^[][|;#.]/ ? "\\" : "") text
}

function flush() {
	if (text != "")
		print item (item == "" ? guarded(inline(text)) : inline(text))
	text = item = ""
}

function cells(line,    n, i) {
	sub(/^\| */, "", line)
	sub(/ *\|$/, "", line)
	n = split(line, cell, / *\| */)
	return n
}

# The first row waits for the second, which says how columns are aligned.
function table(line,    n, i) {
	n = cells(line)
	if (!rows++) {
		head = line
		return
	}
	if (rows == 2) {
		for (i = 1; i <= n; i++)
			align[i] = i == n ? "<" : cell[i] ~ /:$/ ? "]" : "["
		n = cells(head)
	}
	for (i = 1; i <= n; i++)
		print (i > 1 ? ":" : rows == 2 ? "[" : "|") align[i] " " \
			(rows == 2 && cell[i] != "" ? "*" inline(cell[i], 1) "*" : inline(cell[i]))
}

/^\|/ {
	flush()
	table($0)
	next
}
{ rows = 0 }
/^# / {
	print "ctlsign-format(5) \"\" \"ctlsign\"\n\n# NAME\n\nctlsign-format - " tolower(substr($0, 3, 1)) substr($0, 4) "\n\n# DESCRIPTION"
	next
}
/^##/ {
	flush()
	sub(/^#/, "")
	gsub(/`/, "")
	print
	next
}
/^$/ {
	flush()
	print ""
	next
}
/^- / {
	flush()
	item = "- "
	text = substr($0, 3)
	next
}
{
	sub(/^ +/, "")
	text = text (text == "" ? "" : " ") $0
}
END {
	flush()
	print "\n# SEE ALSO\n\n*ctlsign*(1), *ctlsign-show*(1), *ctlsign-verify*(1), *ctlsign-manifest*(5)"
}
