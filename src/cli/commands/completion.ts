/**
 * `pptpd-ts completion SHELL`: prints the completion script of a shell. The scripts call the hidden `completion-words`,
 * which prints a line for each candidate, or `:files` where the shell is to complete file names.
 */
import { Argument, Command } from 'commander';
import { loadConfiguration } from '../../config/load.js';
import { listSessionIds } from '../../session/record.js';
import { complete } from '../completion.js';
import { DEFAULT_CONFIGURATION } from '../configuration.js';

const SCRIPTS = {
  bash: `_pptpd_ts() {
  local line
  COMPREPLY=()
  while IFS=$'\\t' read -r line _; do
    if [[ $line == :files ]]; then compopt -o default; else COMPREPLY+=("$line"); fi
  done < <("\${COMP_WORDS[0]}" completion-words -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2> /dev/null)
}
complete -F _pptpd_ts pptpd-ts`,
  zsh: `#compdef pptpd-ts
_pptpd_ts() {
  local line
  local -a candidates
  while IFS= read -r line; do
    if [[ $line == :files ]]; then _files; return; fi
    candidates+=("\${line/$'\\t'/:}")
  done < <("\${words[1]}" completion-words -- "\${(@)words[2,CURRENT]}" 2> /dev/null)
  _describe 'pptpd-ts' candidates
}
compdef _pptpd_ts pptpd-ts`,
  fish: `function __pptpd_ts
  set -l words (commandline -opc) (commandline -ct)
  for line in ($words[1] completion-words -- $words[2..-1] 2> /dev/null)
    if test "$line" = ":files"
      __fish_complete_path (commandline -ct)
    else
      echo $line
    end
  end
end
complete -c pptpd-ts -f -a '(__pptpd_ts)'`,
} as const;

const HELP = `
Examples:
  pptpd-ts completion bash > /usr/share/bash-completion/completions/pptpd-ts
  pptpd-ts completion zsh > /usr/local/share/zsh/site-functions/_pptpd-ts
  pptpd-ts completion fish > /etc/fish/completions/pptpd-ts.fish

Exit code 2: an unknown shell.`;

export const completionCommand = (): Command =>
  new Command('completion')
    .description('print a shell script that completes commands, options and live session ids')
    .addArgument(new Argument('<shell>', 'the shell').choices(Object.keys(SCRIPTS)))
    .addHelpText('after', HELP)
    .action((shell: keyof typeof SCRIPTS) => console.log(SCRIPTS[shell]));

/** Called by the completion scripts only. */
export const completionWordsCommand = (): Command =>
  new Command('completion-words')
    .argument('[words...]', 'after --: the words after the program name, up to the one to complete')
    .action((words: string[], _: unknown, command: Command) => printCandidates(command.parent ?? command, words));

function printCandidates(program: Command, words: readonly string[]): void {
  const { candidates, files } = complete(program, words, () => liveSessions(words));
  for (const { word, description } of candidates) console.log(`${word}\t${description}`);
  if (files) console.log(':files');
}

/** Session ids in the run directory that the words name, or else in that of the configuration. */
function liveSessions(words: readonly string[]): string[] {
  const valueOf = (...names: readonly string[]): string | undefined =>
    words[words.findIndex((word) => names.includes(word)) + 1 || words.length];
  const directory = valueOf('--run-directory');
  if (directory !== undefined) return listSessionIds(directory);
  const loaded = loadConfiguration(valueOf('-c', '--config') ?? DEFAULT_CONFIGURATION);
  return loaded.ok ? listSessionIds(loaded.configuration.runDirectory) : [];
}
