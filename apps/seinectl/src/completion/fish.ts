import { allNodes, type CommandNode, type OptionNode } from './command-tree.js';

/** Completions for fish, each under the condition that its command is the one typed. */
export function fishCompletion(root: CommandNode): string {
  const nodes = allNodes(root);
  return `# fish completion of ${root.names[0] ?? ''}
function __seinectl_path
    set -l path ""
    for word in (commandline -opc)[2..-1]
        switch "$path $word"
${pathCases(nodes)}
        end
    end
    echo $path
end
function __seinectl_at
    test (__seinectl_path) = "$argv[1]"
end
complete -c seinectl -f
${nodes.flatMap(linesOf).join('\n')}
`;
}

function pathCases(nodes: readonly CommandNode[]): string {
  const cases = nodes.flatMap((node) =>
    node.children.map((child) => {
      const patterns = child.names.map((name) => quote(`${node.path} ${name}`)).join(' ');
      return `            case ${patterns}\n                set path ${quote(child.path)}`;
    }),
  );
  return cases.join('\n');
}

function linesOf(node: CommandNode): string[] {
  const at = `complete -c seinectl -n ${quote(`__seinectl_at ${quote(node.path)}`)}`;
  return [
    ...node.children.map((child) => `${at} -a ${quote(child.names.join(' '))} -d ${quote(child.summary)}`),
    ...(node.choices.length > 0 ? [`${at} -a ${quote(node.choices.join(' '))}`] : []),
    ...node.options.map((option) => `${at} ${optionOf(option)} -d ${quote(option.description)}`),
  ];
}

function optionOf(option: OptionNode): string {
  const names = option.flags.map((flag) => (flag.startsWith('--') ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`));
  if (!option.takesValue) return names.join(' ');
  if (option.takesFile) return [...names, '-r -F'].join(' ');
  return [...names, '-x', ...(option.choices.length > 0 ? [`-a ${quote(option.choices.join(' '))}`] : [])].join(' ');
}

/** Within single quotes fish reads only \\\\ and \\' specially. */
function quote(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}
