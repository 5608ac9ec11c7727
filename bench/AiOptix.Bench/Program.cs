using System.CommandLine;
using AiOptix.Bench;
using AiOptix.Bench.Compare;
using AiOptix.Bench.Kernels;
using AiOptix.Bench.Open;
using AiOptix.Bench.Products;

var root = new RootCommand("Compares AI Optix with other engines.") { CompareCommand.Command(), Footprint.Command(), OpenCommand.Command(), OpenChild.Command(), CallsCommand.Command(), OrtSmoke.Command(), RecordCommand.Create(), ReadmeTables.Command(), KernelsCommand.Create(), ProductsCommand.Command() };
return root.Parse(args).Invoke();
