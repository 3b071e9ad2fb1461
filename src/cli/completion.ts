import { Argument, Command } from 'commander';

/** A command for a completion script. */
interface Described {
  /** Words from the program on: `key create`. */
  path: string;
  description: string;
  commands: { name: string; description: string }[];
  options: { flags: string[]; description: string; choices: readonly string[] | null }[];
}

const HELP = `
  bash  trivium completion bash > ~/.local/share/bash-completion/completions/trivium
  zsh   trivium completion zsh > "\${fpath[1]}/_trivium"
  fish  trivium completion fish > ~/.config/fish/completions/trivium.fish
`;

/** Creates the command `trivium completion`, which prints a script that completes the commands of `program`. */
export function completionCommand(program: Command): Command {
  const shells = { bash: bashScript, zsh: zshScript, fish: fishScript };
  return new Command('completion')
    .description('print a script that completes commands and options in a shell')
    .addArgument(new Argument('<shell>', 'the shell').choices(Object.keys(shells)))
    .addHelpText('after', HELP)
    .action((shell: keyof typeof shells) => console.log(shells[shell](describeAll(program, ''))));
}

function describeAll(command: Command, path: string): Described[] {
  const below = command.commands.flatMap((one) => describeAll(one, `${path} ${one.name()}`.trim()));
  const help = command.createHelp();
  const own = {
    path,
    description: command.description(),
    commands: help
      .visibleCommands(command)
      .map((one) => ({ name: one.name(), description: one.description() })),
    options: help.visibleOptions(command).map((option) => ({
      flags: [option.short, option.long].filter((flag) => flag != null),
      description: option.description,
      choices: option.argChoices ?? null,
    })),
  };
  return [own, ...below];
}

/** The words that may follow a command: its commands, and its options after a dash. */
function wordsOf({ commands, options }: Described): { commands: string; options: string } {
  return {
    commands: commands.map(({ name }) => name).join(' '),
    options: options.flatMap(({ flags }) => flags).join(' '),
  };
}

function bashScript(all: readonly Described[]): string {
  const cases = all.map((one) => {
    const { commands, options } = wordsOf(one);
    return `    ${quote(one.path)}) commands=${quote(commands)}; options=${quote(options)} ;;`;
  });
  return `# Completion of trivium for bash.
_trivium() {
  local current=\${COMP_WORDS[COMP_CWORD]} path='' word commands options
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case " ${all.map(({ path }) => path.replaceAll(' ', '_')).join(' ')} " in
      *" \${path:+\${path}_}$word "*) path="\${path:+\${path}_}$word" ;;
    esac
  done
  case "\${path//_/ }" in
${cases.join('\n')}
  esac
  COMPREPLY=()
  if [[ $current == -* ]]; then
    COMPREPLY=($(compgen -W "$options" -- "$current"))
  elif [[ -n $commands ]]; then
    COMPREPLY=($(compgen -W "$commands" -- "$current"))
  fi
}
complete -o default -F _trivium trivium`;
}

function zshScript(all: readonly Described[]): string {
  const cases = all.map((one) => {
    const commands = one.commands.map(({ name, description }) => zshWord(name, description));
    const options = one.options.flatMap(({ flags, description }) =>
      flags.map((flag) => zshWord(flag, description)),
    );
    return `    ${quote(one.path)}) commands=(${commands.join(' ')}); options=(${options.join(' ')}) ;;`;
  });
  return `#compdef trivium
# Completion of trivium for zsh.
_trivium() {
  local -a commands options paths
  local path_words='' word
  paths=(${all.map(({ path }) => quote(path)).join(' ')})
  for word in "\${(@)words[2,CURRENT-1]}"; do
    (( \${paths[(Ie)\${path_words:+$path_words }$word]} )) && path_words="\${path_words:+$path_words }$word"
  done
  case "$path_words" in
${cases.join('\n')}
  esac
  if [[ $words[CURRENT] == -* ]]; then
    _describe option options
  elif (( $#commands )); then
    _describe command commands
  else
    _files
  fi
}
(( $+functions[compdef] )) && compdef _trivium trivium`;
}

function zshWord(word: string, description: string): string {
  // A colon would separate the description from the word, and does not need to be escaped after the first one.
  return quote(`${word}:${description}`);
}

function fishScript(all: readonly Described[]): string {
  const lines = all.flatMap((one) => {
    const condition = `-n "__trivium_at ${quote(one.path)}"`;
    const commands = one.commands.map(
      ({ name, description }) =>
        `complete -c trivium ${condition} -f -a ${quote(name)} -d ${quote(description)}`,
    );
    const options = one.options.map(({ flags, description, choices }) => {
      const names = flags.map((flag) =>
        flag.startsWith('--') ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`,
      );
      const values = choices === null ? '' : ` -xa ${quote(choices.join(' '))}`;
      return `complete -c trivium ${condition} ${names.join(' ')}${values} -d ${quote(description)}`;
    });
    return [...commands, ...options];
  });
  return `# Completion of trivium for fish.
function __trivium_at
  set -l at
  for word in (commandline -opc)[2..-1]
    set -l next (string join ' ' -- $at $word)
    contains -- $next ${all.map(({ path }) => quote(path)).join(' ')}; and set at $at $word
  end
  test "$at" = "$argv[1]"
end
${lines.join('\n')}`;
}

/** Quotes a text for all three shells, whose rules for these two characters differ. */
function quote(text: string): string {
  return `'${text.replaceAll("'", '’').replaceAll('\\', '/')}'`;
}
