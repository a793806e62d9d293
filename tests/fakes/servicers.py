"""Servicers made of plain functions: a method that was not given answers UNIMPLEMENTED."""

from collections.abc import Callable
from typing import Any

import grpc
from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor
from google.protobuf.message_factory import GetMessageClass


def offering(service: ServiceDescriptor, **methods: Callable[..., Any]) -> grpc.GenericRpcHandler:
    """A handler of these methods; each function takes the request (or their iterator) and the context."""
    handlers = {name: _handler(service.methods_by_name[name], function) for name, function in methods.items()}
    return grpc.method_handlers_generic_handler(service.full_name, handlers)


def _handler(method: MethodDescriptor, function: Callable[..., Any]) -> "grpc.RpcMethodHandler[Any, Any]":
    request, response = GetMessageClass(method.input_type), GetMessageClass(method.output_type)
    kinds = {
        (False, False): grpc.unary_unary_rpc_method_handler,
        (False, True): grpc.unary_stream_rpc_method_handler,
        (True, False): grpc.stream_unary_rpc_method_handler,
        (True, True): grpc.stream_stream_rpc_method_handler,
    }
    make: Callable[..., grpc.RpcMethodHandler[Any, Any]] = kinds[method.client_streaming, method.server_streaming]
    return make(function, request_deserializer=request.FromString, response_serializer=response.SerializeToString)
