// Tests here count the allocations of the whole process.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
