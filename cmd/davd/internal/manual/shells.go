package manual

import (
	"fmt"
	"strings"
)

// Shells are the names of the shells that Completion knows.
var Shells = []string{"bash", "zsh", "fish"}

// Completion returns the completion for a shell, or "" for a shell that is not in [Shells].
func (p *Program) Completion(shell string) string {
	switch shell {
	case "bash":
		return p.bash()
	case "zsh":
		return p.zsh()
	case "fish":
		return p.fish()
	}
	return ""
}

// names returns the flags as they are written.
func (f *Flag) names() []string {
	names := []string{"--" + f.Name}
	if f.Short != "" {
		names = append(names, "-"+f.Short)
	}
	return names
}

// quote quotes text for all three shells. An apostrophe becomes a typographic one, because
// each of them escapes it in another way.
func quote(text string) string {
	return "'" + strings.NewReplacer("'", "’", `\`, "/").Replace(text) + "'"
}

func (p *Program) bash() string {
	var b strings.Builder
	fmt.Fprintf(&b, `# bash completion for %[1]s: source it, or install it as
# /usr/share/bash-completion/completions/%[1]s

_%[1]s() {
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} words=
	local command=${COMP_WORDS[1]}
	# --flag=value is three words.
	if [[ $cur == = ]]; then
		cur=
	elif [[ $prev == = ]]; then
		prev=${COMP_WORDS[COMP_CWORD-2]}
	fi
	COMPREPLY=()
	if ((COMP_CWORD == 1)); then
		COMPREPLY=($(compgen -W %[2]s -- "$cur"))
		return
	fi
`, p.Name, quote(strings.Join(p.words(""), " ")))
	b.WriteString("\tcase $command in\n")
	for _, group := range p.groups() {
		fmt.Fprintf(&b, `	%s)
		if ((COMP_CWORD == 2)); then
			COMPREPLY=($(compgen -W %s -- "$cur"))
			return
		fi
		command+=" ${COMP_WORDS[2]}"
		;;
`, group, quote(strings.Join(p.words(group), " ")))
	}
	b.WriteString("\tesac\n\tcase \"$command $prev\" in\n")
	for _, c := range p.Commands {
		for _, f := range c.Flags {
			if len(f.Words) == 0 {
				continue
			}
			for _, name := range f.names() {
				fmt.Fprintf(&b, "\t%s) words=%s ;;\n", quote(c.Name+" "+name), quote(strings.Join(f.Words, " ")))
			}
		}
		if choices := c.choices(); choices != nil {
			fmt.Fprintf(&b, "\t%s) words=%s ;;\n", quote(c.Name+" "+c.lastWord()), quote(strings.Join(choices, " ")))
		}
	}
	b.WriteString("\tesac\n\tif [[ -z $words && $cur == -* ]]; then\n\t\tcase $command in\n")
	for _, c := range p.Commands {
		words := []string{"--help"}
		for _, f := range c.Flags {
			words = append(words, f.names()...)
		}
		fmt.Fprintf(&b, "\t\t%s) words=%s ;;\n", quote(c.Name), quote(strings.Join(words, " ")))
	}
	fmt.Fprintf(&b, `		esac
	fi
	[[ -z $words ]] || COMPREPLY=($(compgen -W "$words" -- "$cur"))
}

complete -o default -F _%[1]s %[1]s
`, p.Name)
	return b.String()
}

func (p *Program) zsh() string {
	var b strings.Builder
	fmt.Fprintf(&b, "#compdef %[1]s\n# zsh completion for %[1]s: install it as _%[1]s in a directory of $fpath, or source it.\n\n_%[1]s() {\n\tlocal -a commands\n", p.Name)
	describe := func(group, indent string) {
		fmt.Fprintf(&b, "%scommands=(\n", indent)
		for _, word := range p.words(group) {
			fmt.Fprintf(&b, "%s\t%s\n", indent, quote(word+":"+p.summary(strings.TrimSpace(group+" "+word))))
		}
		fmt.Fprintf(&b, "%s)\n%[1]s_describe command commands\n%[1]sreturn\n", indent)
	}
	b.WriteString("\tif ((CURRENT == 2)); then\n")
	describe("", "\t\t")
	b.WriteString("\tfi\n\tshift words\n\t((CURRENT--))\n\tlocal command=$words[1]\n\tcase $command in\n")
	for _, group := range p.groups() {
		fmt.Fprintf(&b, "\t%s)\n\t\tif ((CURRENT == 2)); then\n", group)
		describe(group, "\t\t\t")
		b.WriteString("\t\tfi\n\t\tshift words\n\t\t((CURRENT--))\n\t\tcommand+=\" $words[1]\"\n\t\t;;\n")
	}
	b.WriteString("\tesac\n\tcase $command in\n")
	for _, c := range p.Commands {
		fmt.Fprintf(&b, "\t%s)\n\t\t_arguments -S \\\n", quote(c.Name))
		for _, f := range c.Flags {
			fmt.Fprintf(&b, "\t\t\t%s \\\n", f.zsh())
		}
		if choices := c.choices(); choices != nil {
			fmt.Fprintf(&b, "\t\t\t%s \\\n", quote("1:argument:("+strings.Join(choices, " ")+")"))
		}
		b.WriteString("\t\t\t'--help[show the flags of this command]' '*:file:_files'\n\t\t;;\n")
	}
	fmt.Fprintf(&b, "\tesac\n}\n\nif [[ $funcstack[1] == _%[1]s ]]; then\n\t_%[1]s \"$@\"\nelse\n\tcompdef _%[1]s %[1]s\nfi\n", p.Name)
	return b.String()
}

// zsh returns the flag as an argument of _arguments.
func (f *Flag) zsh() string {
	plain := strings.NewReplacer("[", "(", "]", ")", ":", " -")
	help := "[" + plain.Replace(f.short()) + "]"
	value := ""
	if f.Takes != "" {
		value = ":" + plain.Replace(f.Takes) + ":_files"
		if len(f.Words) > 0 {
			value = ":" + plain.Replace(f.Takes) + ":(" + strings.Join(f.Words, " ") + ")"
		}
	}
	long := "--" + f.Name
	if value != "" {
		long += "="
	}
	if f.Short == "" {
		return quote("*" + long + help + value)
	}
	return "'*'{-" + f.Short + "," + long + "}" + quote(help+value)
}

// short returns the beginning of the help, for a list of flags.
func (f *Flag) short() string {
	short, _, _ := strings.Cut(f.Help, "; ")
	short, _, _ = strings.Cut(short, " (default")
	return short
}

func (p *Program) fish() string {
	var b strings.Builder
	fmt.Fprintf(&b, `# fish completion for %[1]s: install it as ~/.config/fish/completions/%[1]s.fish

function __%[1]s_words --description 'the arguments before the cursor begin with these words'
	set -l words (commandline -opc)
	set -e words[1]
	set -l n (count $argv)
	test $n -eq 0; and return 0
	test (count $words) -ge $n; and test "$words[1..$n]" = "$argv"
end

function __%[1]s_next --description 'the word at the cursor follows these words'
	test (count (commandline -opc)) -eq (math (count $argv) + 1); and __%[1]s_words $argv
end

`, p.Name)
	for _, group := range append([]string{""}, p.groups()...) {
		for _, word := range p.words(group) {
			about := quote(p.summary(strings.TrimSpace(group + " " + word)))
			fmt.Fprintf(&b, "complete -c %[1]s -f -n '__%[1]s_next %[2]s' -a %[3]s -d %[4]s\n", p.Name, group, word, about)
		}
	}
	for _, c := range p.Commands {
		for _, f := range c.Flags {
			fmt.Fprintf(&b, "complete -c %[1]s -n '__%[1]s_words %[2]s' %[3]s\n", p.Name, c.Name, f.fish())
		}
		fmt.Fprintf(&b, "complete -c %[1]s -n '__%[1]s_words %[2]s' -l help -d 'show the flags of this command'\n", p.Name, c.Name)
		if choices := c.choices(); choices != nil {
			fmt.Fprintf(&b, "complete -c %[1]s -f -n '__%[1]s_next %[2]s' -a %[3]s\n", p.Name, c.Name, quote(strings.Join(choices, " ")))
		}
	}
	return b.String()
}

// fish returns the flag as arguments of complete.
func (f *Flag) fish() string {
	flag := "-l " + f.Name
	if f.Short != "" {
		flag += " -s " + f.Short
	}
	switch {
	case len(f.Words) > 0:
		flag += " -x -a " + quote(strings.Join(f.Words, " "))
	case f.Takes != "":
		flag += " -r"
	}
	return flag + " -d " + quote(f.short())
}
