import { allNodes, type CommandNode } from './command-tree.js';

/** A completion function for bash: finds the command among the words typed, then offers its words. */
export function bashCompletion(root: CommandNode): string {
  const nodes = allNodes(root);
  return `# bash completion of ${root.names[0] ?? ''}
_seinectl() {
  local current previous path word words i
  current="\${COMP_WORDS[COMP_CWORD]}"
  previous="\${COMP_WORDS[COMP_CWORD-1]}"
  path=""
  for ((i = 1; i < COMP_CWORD; i++)); do
    word="\${COMP_WORDS[i]}"
    case "$path $word" in
${pathCases(nodes)}
    esac
  done
  words=""
  case "$path $previous" in
${valueCases(nodes)}
    *)
      case "$path" in
${wordCases(nodes)}
      esac
      ;;
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _seinectl seinectl
`;
}

function pathCases(nodes: readonly CommandNode[]): string {
  const cases = nodes.flatMap((node) =>
    node.children.map((child) => {
      const patterns = child.names.map((name) => `"${node.path} ${name}"`).join('|');
      return `      ${patterns}) path="${child.path}" ;;`;
    }),
  );
  return cases.join('\n');
}

function valueCases(nodes: readonly CommandNode[]): string {
  const cases = nodes.flatMap((node) =>
    node.options
      .filter((option) => option.takesValue)
      .map((option) => {
        const patterns = option.flags.map((flag) => `"${node.path} ${flag}"`).join('|');
        if (option.takesFile) return `    ${patterns}) COMPREPLY=($(compgen -f -- "$current")); return ;;`;
        return `    ${patterns}) words="${option.choices.join(' ')}" ;;`;
      }),
  );
  return cases.join('\n');
}

function wordCases(nodes: readonly CommandNode[]): string {
  const cases = nodes.map((node) => {
    const words = [
      ...node.children.flatMap((child) => child.names),
      ...node.choices,
      ...node.options.flatMap((option) => option.flags),
    ];
    return `        "${node.path}") words="${words.join(' ')}" ;;`;
  });
  return cases.join('\n');
}
