# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# Completion of ctlsign for bash. The program itself knows what fits
# ('ctlsign --complete', see signer/cli/complete.h); here the line is taken apart
# as the shell would, without running anything that stands in it, and what is
# put in is quoted so that it stays one word.

# The words of the line up to the cursor, unquoted, in words; the last one is
# being typed. keep: how much of it readline leaves as it is, because a
# character of COMP_WORDBREAKS or a quote ends there. quote: which one is open.
# redirected: the last word is no argument, but where to a redirection goes.
# tilde: the ~/ or ~user/ that it was begun with, unquoted; home: what that means.
_ctlsign_split() {
	local line=${COMP_LINE:0:COMP_POINT} word='' c
	local -i i=0 begun=0
	words=() keep=0 quote='' redirected=0 tilde='' home=''
	while ((i < ${#line})); do
		c=${line:i:1}
		i+=1
		if [[ $quote == "'" && $c != "'" ]]; then
			word+=$c
			continue
		fi
		case $c in
		\' | \")
			if [[ -z $quote ]]; then
				quote=$c begun=1 keep=${#word}
			elif [[ $quote == "$c" ]]; then
				quote='' keep=${#word}
			else
				word+=$c
			fi
			;;
		\\)
			c=${line:i:1}
			if [[ $quote == '"' && $c != [\"\\\$\`] ]]; then
				word+=\\
			else
				word+=$c begun=1
				i+=1
			fi
			;;
		\$)
			begun=1
			if [[ ${line:i} =~ ^([A-Za-z_][A-Za-z_0-9]*) || ${line:i} =~ ^\{([A-Za-z_][A-Za-z_0-9]*)\} ]]; then
				i+=${#BASH_REMATCH[0]}
				word+=${!BASH_REMATCH[1]-}
			else
				word+=$c
			fi
			;;
		[[:space:]\<\>])
			if [[ -n $quote ]]; then
				word+=$c
				continue
			fi
			if ((begun)); then
				((redirected)) || words+=("$home${word#"$tilde"}")
				word='' begun=0 keep=0 redirected=0 tilde='' home=''
			fi
			[[ $c == [\<\>] ]] && redirected=1
			;;
		*)
			if [[ $c == '~' ]] && ((!begun)) && [[ ${line:i} =~ ^([A-Za-z_][A-Za-z_0-9.-]*)?/ ]]; then
				tilde="~${BASH_REMATCH[0]}"
				# Nothing but a plain user name is in it.
				eval "home=$tilde"
				[[ $home != "$tilde" ]] || tilde='' home=''
			fi
			word+=$c begun=1
			[[ -z $quote && $COMP_WORDBREAKS == *"$c"* ]] && keep=${#word}
			;;
		esac
	done
	words+=("$word")
}

# One candidate as it must stand on the line behind what readline keeps. Not offered is what has no
# spelling between the quotes that are open: control characters, and what would begin with such a
# quote, of which readline would drop one.
_ctlsign_add() {
	local text=${1:keep} begin=''
	case $quote in
	'')
		[[ $keep != 0 || -z $tilde ]] || begin=$tilde text=${text#"$tilde"}
		[[ -z $text ]] || printf -v text %q "$text"
		text=$begin${text//\\,/,}
		;;
	\') text=${text//\'/"'\''"} ;;
	*)
		text=${text//[\\]/\\\\} text=${text//\"/\\\"} text=${text//\$/\\\$} text=${text//\`/\\\`}
		# Between these quotes even a backslash does not keep a line of the history out.
		text=${text//!/'"\!"'}
		;;
	esac
	[[ -n $quote && ($text == "$quote"* || $text == *[[:cntrl:]]*) ]] || COMPREPLY+=("$text")
}

# Files whose names match one of the patterns, all where there is none, and folders.
_ctlsign_files() {
	local begun=$1 file shown pattern fits
	shift
	local path=$begun
	if [[ -n $tilde && $begun == "$tilde"* ]]; then
		path=$home${begun#"$tilde"}
	elif [[ $begun == '~'* ]]; then
		path=./$begun
	fi
	while IFS= read -r file; do
		# A name with a line break comes in pieces, which are no names.
		[[ -e $file || -L $file ]] || continue
		shown=$begun${file:${#path}}
		if [[ -d $file ]]; then
			folders+=("$shown/")
			continue
		fi
		fits=$(($# == 0))
		for pattern in "$@"; do
			# shellcheck disable=SC2053 # a pattern by intent
			[[ $file == $pattern ]] && fits=1
		done
		((fits)) && found+=("$shown")
	done < <(compgen -f -- "$path")
}

_ctlsign() {
	local -a words=() found=() folders=() patterns=()
	local quote='' tilde='' home='' current said line open=0 skip=0
	local -i keep=0 redirected=0
	COMPREPLY=()
	_ctlsign_split
	current=${words[${#words[@]} - 1]}
	if ((redirected)); then
		_ctlsign_files "$current"
	else
		said=$({ command "${words[0]}" --complete "${words[@]:1}"; } 2>/dev/null)
		while IFS= read -r line; do
			case $line in
			':skip '*) skip=${line#:skip } ;;
			':open') open=1 ;;
			':dirs') _ctlsign_files "${current:skip}" '' ;;
			':files '*)
				IFS=' ' read -ra patterns <<<"${line#:files }"
				_ctlsign_files "${current:skip}" "${patterns[@]}"
				;;
			?*) found+=("${line%%$'\t'*}") ;;
			esac
		done <<<"$said"
	fi
	# A folder is a step on the way: no blank after it.
	((open || ${#folders[@]} > 0 && ${#found[@]} == 0)) && compopt -o nospace 2>/dev/null
	for line in "${found[@]}" "${folders[@]}"; do
		_ctlsign_add "${current:0:skip}$line"
	done
}

complete -F _ctlsign ctlsign
