"""Starts the .NET runtime inside this process and returns the native module.

The runtime is the private one of the wheel (ai_optix/dotnet), else an installed .NET 10.
"""
