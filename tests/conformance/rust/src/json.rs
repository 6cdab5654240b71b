//! JSON as tonic's codec: protobuf's own mapping, by the descriptors of the suite.

use std::marker::PhantomData;
use std::sync::LazyLock;

use prost::bytes::{Buf as _, BufMut as _};
use prost::{Message, Name};
use prost_reflect::{DescriptorPool, DynamicMessage, MessageDescriptor};
use tonic::Status;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};

static MESSAGES: LazyLock<DescriptorPool> = LazyLock::new(|| {
    let descriptors: &[u8] = include_bytes!(env!("CONFORMANCE_MESSAGES"));
    DescriptorPool::decode(descriptors).expect("what the suite's messages were generated from")
});

pub(crate) struct JsonCodec<E, D>(PhantomData<(E, D)>);

impl<E, D> Default for JsonCodec<E, D> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

impl<E, D> Codec for JsonCodec<E, D>
where
    E: Message + Name + 'static,
    D: Message + Name + Default + 'static,
{
    type Encode = E;
    type Decode = D;
    type Encoder = Json<E>;
    type Decoder = Json<D>;

    fn encoder(&mut self) -> Self::Encoder {
        Json(PhantomData)
    }

    fn decoder(&mut self) -> Self::Decoder {
        Json(PhantomData)
    }
}

pub(crate) struct Json<M>(PhantomData<M>);

impl<M: Message + Name> Encoder for Json<M> {
    type Item = M;
    type Error = Status;

    fn encode(&mut self, message: M, into: &mut EncodeBuf<'_>) -> Result<(), Status> {
        let message = DynamicMessage::decode(descriptor::<M>()?, message.encode_to_vec().as_slice());
        let message = message.map_err(|error| Status::internal(error.to_string()))?;
        serde_json::to_writer(into.writer(), &message).map_err(|error| Status::internal(error.to_string()))
    }
}

impl<M: Message + Name + Default> Decoder for Json<M> {
    type Item = M;
    type Error = Status;

    fn decode(&mut self, from: &mut DecodeBuf<'_>) -> Result<Option<M>, Status> {
        let mut json = serde_json::Deserializer::from_reader(from.reader());
        let message = DynamicMessage::deserialize(descriptor::<M>()?, &mut json);
        let message = message.map_err(|error| Status::internal(error.to_string()))?;
        let message = M::decode(message.encode_to_vec().as_slice());
        message.map(Some).map_err(|error| Status::internal(error.to_string()))
    }
}

fn descriptor<M: Name>() -> Result<MessageDescriptor, Status> {
    let name = M::full_name();
    MESSAGES.get_message_by_name(&name).ok_or_else(|| Status::internal(format!("no message {name}")))
}
