using System.CommandLine;
using AiOptix.Bench;
using AiOptix.Bench.Compare;

var root = new RootCommand("Compares AI Optix with other engines.") { CompareCommand.Command(), Footprint.Command(), CallsCommand.Command(), OrtSmoke.Command(), RecordCommand.Create(), ReadmeTables.Command() };
return root.Parse(args).Invoke();
