/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Completion for the shells of scripts/completion: 'ctlsign --complete WORD...'. The words are
 * those behind the program's name, unquoted. The last one is being typed, and may be empty.
 *
 * Prints, one a line:
 *   ":files PATTERN..."   files of these names, any if there is no pattern, and the way to them
 *   ":dirs"               folders only
 *   ":open"               no blank after the word
 *   ":skip N"             the first N bytes of the last word stay: what follows is about the rest
 *   "WORD<TAB>WHAT"       a candidate, which begins as the last word does; WHAT may be empty
 *
 * Says nothing on stderr, asks for nothing, logs in nowhere, and ends within
 * seconds whatever a module does.
 */
#ifndef CTL_COMPLETE_H
#define CTL_COMPLETE_H

void complete(int argc, char **argv);

#endif
